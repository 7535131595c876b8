// Asks Node about servers: "port name roots" each.
const tls = require('tls'), fs = require('fs'), net = require('net');
const questions = process.argv.slice(2);
(async () => {
  for (let i = 0; i < questions.length; i++) {
    const [port, name, roots] = questions[i].split(' ');
    const ca = fs.readFileSync(roots);
    if (net.isIP(name) || !ca.length) {
      console.log(i + ' cannot be asked');
      continue;
    }
    await new Promise((done) => {
      const s = tls.connect({ host: '127.0.0.1', port, servername: name, ca }, () => {
        console.log(i + ' ok');
        s.destroy();
        done();
      });
      s.on('error', (e) => {
        console.log(i + ' ' + e.code + ' ' + e.message.split('\n')[0]);
        done();
      });
    });
  }
})();
