// A mail's HTML file → what Gmail, Outlook and Apple Mail do not know of it, as JSON: {feature: [clients]}.
import { readFileSync } from "node:fs";
import { caniemail } from "caniemail";

const html = readFileSync(process.argv[2], "utf8");
const { issues } = caniemail({ clients: ["gmail.*", "outlook.*", "apple-mail.*"], html });
const found = {};
for (const [client, list] of issues.errors)
  for (const { title } of list) (found[title] ??= new Set()).add(client);
const told = Object.entries(found).map(([title, clients]) => [title, [...clients].sort()]);
console.log(JSON.stringify(Object.fromEntries(told)));
