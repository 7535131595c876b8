// Asks Deno, and so rustls and webpki, about servers: "port name roots" each.
console.log('# version=' + Deno.version.deno);
for (const [i, question] of Deno.args.entries()) {
  const [port, name, roots] = question.split(' ');
  const pem = Deno.readTextFileSync(roots);
  if (!pem) {
    console.log(i + ' cannot be asked');
    continue;
  }
  const client = Deno.createHttpClient({ caCerts: pem.split(/(?<=-----END CERTIFICATE-----\n)/).filter((c) => c.trim()) });
  try {
    await (await fetch(`https://${name}:${port}/`, { client, signal: AbortSignal.timeout(10000) })).text();
    console.log(i + ' ok');
  } catch (e) {
    let words = e.message;
    for (let c = e.cause; c; c = c.cause) words += ': ' + c.message;
    console.log(i + ' ' + words.replaceAll('\n', ' '));
  }
  client.close();
}
