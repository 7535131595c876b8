// Asks Java about servers: "port name roots" each.
import java.io.*;
import java.net.*;
import java.security.KeyStore;
import java.security.cert.*;
import javax.net.ssl.*;

class Ask {
    public static void main(String[] questions) throws Exception {
        System.out.println("# version=" + System.getProperty("java.version"));
        for (int i = 0; i < questions.length; i++) {
            String[] q = questions[i].split(" ");
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            int n = 0;
            try (InputStream in = new FileInputStream(q[2])) {
                for (java.security.cert.Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in))
                    store.setCertificateEntry("c" + n++, c);
            }
            if (n == 0) {
                System.out.println(i + " cannot be asked");
                continue;
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            try {
                HttpsURLConnection c = (HttpsURLConnection) new URL("https://" + q[1] + ":" + q[0] + "/").openConnection();
                c.setSSLSocketFactory(context.getSocketFactory());
                c.setConnectTimeout(10000);
                c.setReadTimeout(10000);
                c.getInputStream().close();
                System.out.println(i + " ok");
            } catch (IOException e) {
                System.out.println(i + " " + e.getMessage().replace('\n', ' '));
            }
        }
    }
}
