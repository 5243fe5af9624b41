"""Automations: from the text of a definition to what each person gets.

`definition` is what a writer may say, `components` the parts of it, `machines` what Step Functions is given and
`pictures` what a reader sees. `react` learns of every event: `listening` knows whom it concerns, `entering` who begins,
`dates` whose day it is, `waits` who has waited for it, `exits` who has to leave and `goals` who got there. `steps` acts
when a machine comes to a component, and `webhooks` calls servers outside. All of it stands in `enrolments`;
`statistics` counts it, `telling` says why it is so, and `lifecycle` publishes, pauses and ends automations.
"""
