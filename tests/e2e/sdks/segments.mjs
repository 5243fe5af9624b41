// Says of each line, a text as JSON, what sms-segments-calculator makes of it: encoding, units and parts.

import { createInterface } from "node:readline";
import calculator from "sms-segments-calculator";

for await (const line of createInterface({ input: process.stdin })) {
  const message = new calculator.SegmentedMessage(JSON.parse(line));
  const units = message.encodedChars.reduce((sum, one) => sum + one.codeUnits.length, 0);
  const encoding = message.encodingName === "GSM-7" ? "GSM" : "Unicode";
  process.stdout.write(`${JSON.stringify([encoding, units, message.segmentsCount])}\n`);
}
