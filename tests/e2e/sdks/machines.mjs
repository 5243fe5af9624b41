// Says of each line, a state machine as JSON, what asl-validator finds wrong with it: a list of messages.

import { createInterface } from "node:readline";
import validate from "asl-validator";

for await (const line of createInterface({ input: process.stdin })) {
  const { errors } = validate(JSON.parse(line));
  process.stdout.write(`${JSON.stringify(errors.map((error) => error.Message ?? JSON.stringify(error)))}\n`);
}
