// ajv: the rules as the parts of an allOf, compiled to JavaScript, each record on its own.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const Ajv = require("ajv/dist/2020");

const folder = path.join(process.argv[2], "pages");
const schema = JSON.parse(fs.readFileSync(path.join(__dirname, "rules.schema.json"), "utf8"));
const validate = new Ajv({ allErrors: true, strict: false }).compile(schema);
const counts = {};
const lines = [];

for (const page of fs.readdirSync(folder).sort()) {
  const body = JSON.parse(fs.readFileSync(path.join(folder, page), "utf8"));
  for (const record of body.data.items) {
    if (validate(record)) continue;
    // "#/allOf/0/properties/sync_frequency/minimum"
    const parts = new Set(validate.errors.map((error) => error.schemaPath.split("/")[2]));
    for (const part of parts) {
      const rule = `R${Number(part) + 1}`;
      counts[rule] = (counts[rule] ?? 0) + 1;
      lines.push(`${rule} ${record.id}\n`);
    }
  }
}
process.stdout.write(process.argv.includes("--pairs") ? lines.join("") : JSON.stringify(counts));
