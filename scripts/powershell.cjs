// Parses PowerShell scripts with a grammar of the language and looks for what a
// parser can see: syntax errors, commands and parameters that do not exist,
// functions that nothing calls, parameters that nothing reads, and anything that
// would switch the verification of certificates off. It runs nothing: no
// PowerShell is to be had where this is checked, and docs/releasing.md says so.
//
//   NODE_PATH=… node scripts/powershell.cjs SCRIPT…
'use strict';
const fs = require('fs');
const path = require('path');
const { Parser, Language } = require('web-tree-sitter');

// What Windows PowerShell 5.1 has, with the parameters that may be used.
const known = {
  'Add-Type': ['AssemblyName'],
  'ConvertFrom-Json': [],
  'Copy-Item': ['LiteralPath', 'Destination', 'Force'],
  'Get-Command': ['CommandType', 'ErrorAction'],
  'Get-Content': ['LiteralPath', 'Raw', 'Encoding'],
  'Get-FileHash': ['LiteralPath', 'Algorithm'],
  'Get-Item': ['LiteralPath'],
  'Join-Path': [],
  'Move-Item': ['LiteralPath', 'Destination', 'Force'],
  'New-Item': ['ItemType', 'Force', 'Path'],
  'New-Object': [],
  'Out-Null': [],
  'Read-Host': [],
  'Remove-Item': ['LiteralPath', 'Recurse', 'Force', 'ErrorAction'],
  'Select-Object': ['First'],
  'Test-Path': ['LiteralPath'],
  'Where-Object': [],
  'Write-Output': [],
};
const forbidden = /ServerCertificateValidationCallback|SkipCertificateCheck|CertificatePolicy|Invoke-Expression|\biex\b/i;

function problems(parser, source) {
  const found = [];
  const at = (node, what) => found.push(`${node.startPosition.row + 1}: ${what}`);
  const own = new Map();
  const calls = [];
  const parameters = [];
  const visit = (node) => {
    if (node.isMissing) at(node, `${node.type} is missing`);
    if (node.type === 'ERROR') at(node, `syntax error at ${JSON.stringify(node.text.slice(0, 40))}`);
    if (node.type === 'function_statement') own.set(node.descendantsOfType('function_name')[0].text, node);
    if (node.type === 'command') calls.push(node);
    if (node.type === 'script_parameter') parameters.push(node);
    for (const child of node.children) if (child) visit(child);
  };
  visit(parser.parse(source).rootNode);
  const called = new Set();
  for (const call of calls) {
    const name = call.children.find((c) => c && c.type === 'command_name');
    if (!name) continue; // & $program
    called.add(name.text);
    if (!own.has(name.text) && !known[name.text]) at(call, `${name.text} is no command`);
    for (const p of call.descendantsOfType('command_parameter')) {
      const parameter = p.text.replace(/^-|:$/g, '');
      if (known[name.text] && !known[name.text].includes(parameter)) at(p, `${name.text} has no -${parameter}`);
    }
  }
  for (const [name, node] of own) if (!called.has(name)) at(node, `nothing calls ${name}`);
  for (const p of parameters) {
    const name = p.descendantsOfType('variable').map((v) => v.text).find((v) => !v.startsWith('$env:'));
    const uses = source.toLowerCase().split(name.toLowerCase()).length - 1;
    if (uses < 2) at(p, `nothing reads ${name}`);
  }
  source.split('\n').forEach((line, i) => {
    if (forbidden.test(line.replace(/#.*/, ''))) found.push(`${i + 1}: ${line.trim()}`);
  });
  return { found, commands: calls.length, functions: own.size };
}

async function main() {
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(path.join(process.env.NODE_PATH, 'tree-sitter-powershell', 'tree-sitter-powershell.wasm')));
  let bad = 0;
  for (const file of process.argv.slice(2)) {
    const source = fs.readFileSync(file, 'utf8');
    const { found, commands, functions } = problems(parser, source);
    for (const f of found) console.error(`${file}:${f}`);
    bad += found.length;
    console.log(`${file}: ${functions} functions, ${commands} commands`);
    // The check itself can fail: each of these breaks a script.
    for (const [what, broken] of [
      ['a brace less', source.replace(/\}\s*$/m, '')],
      ['a bracket less', source.replace(')', '')],
      ['an unknown command', `${source}\nGet-Nonsense\n`],
      ['an unknown parameter', `${source}\nTest-Path -Nonsense x\n`],
      ['a function that nothing calls', `${source}\nfunction Unused { 'x' }\n`],
      ['verification off', `${source}\n[Net.ServicePointManager]::ServerCertificateValidationCallback = { $true }\n`],
    ]) {
      if (problems(parser, broken).found.length <= found.length) {
        console.error(`${file}: ${what} is not noticed`);
        bad++;
      }
    }
  }
  process.exit(bad ? 1 : 0);
}

main();
