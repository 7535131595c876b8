// Asks Java about servers: "port name roots" each.
import java.io.*;
import java.net.*;
import java.security.KeyStore;
import java.security.cert.*;
import javax.net.ssl.*;

class Ask {
    public static void main(String[] questions) throws Exception {
        for (int i = 0; i < questions.length; i++) {
            String[] q = questions[i].split(" ");
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            try (InputStream in = new FileInputStream(q[2])) {
                int n = 0;
                for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in))
                    store.setCertificateEntry("c" + n++, c);
                if (n == 0) {
                    System.out.println(i + " cannot be asked");
                    continue;
                }
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            try (Socket plain = new Socket("127.0.0.1", Integer.parseInt(q[0]))) {
                SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket(plain, q[1], 443, true);
                SSLParameters p = s.getSSLParameters();
                p.setEndpointIdentificationAlgorithm("HTTPS");
                s.setSSLParameters(p);
                s.startHandshake();
                System.out.println(i + " ok");
            } catch (IOException e) {
                System.out.println(i + " " + e.getMessage().replace('\n', ' '));
            }
        }
    }
}
