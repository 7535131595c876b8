// Asks Node about servers: "port name roots" each.
const tls = require('tls'), https = require('https'), fs = require('fs');
const questions = process.argv.slice(2);
console.log(`# version=${process.versions.node} openssl=${process.versions.openssl}`);
(async () => {
  for (let i = 0; i < questions.length; i++) {
    const [port, name, roots] = questions[i].split(' ');
    const ca = fs.readFileSync(roots);
    await new Promise((done) => {
      const r = https.get({ host: name, port, path: '/', ca, agent: false, timeout: 10000 }, (answer) => {
        console.log(i + ' ok');
        answer.resume();
        answer.on('end', done);
      });
      r.on('timeout', () => r.destroy(new Error('timed out')));
      r.on('error', (e) => {
        console.log(i + ' ' + e.code + ' ' + e.message.split('\n')[0]);
        done();
      });
    });
  }
})();
