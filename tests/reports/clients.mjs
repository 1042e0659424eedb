// HTML files of mails → what Gmail, Outlook and Apple Mail do not know of them, as JSON: {feature: [clients]}.
import { readFileSync } from "node:fs";
import { caniemail } from "caniemail";

const clients = ["gmail.*", "outlook.*", "apple-mail.*"];
const found = {};
for (const file of process.argv.slice(2)) {
  const { issues } = caniemail({ clients, html: readFileSync(file, "utf8") });
  for (const [client, list] of issues.errors)
    for (const { title } of list) (found[title] ??= new Set()).add(client);
}
const told = Object.entries(found).map(([title, unaware]) => [title, [...unaware].sort()]);
console.log(JSON.stringify(Object.fromEntries(told)));
