"""The Step Functions machines that automations become."""
