//! Over TLS, to those whose certificates the machine trusts.

use std::env;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use dalsegno_hooks::signature;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::house::{House, LONG};
use crate::server::{Request, answer, read};

const URL: &str = "HOOKS_TEST_URL";
const SECRET: &str = "HOOKS_TEST_SECRET";

/// A server with a certificate of its own, in a file, and what comes to it.
fn serve(certificate: &Path) -> (String, Receiver<Request>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(certificate, cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}/hook",
        listener.local_addr().unwrap().port()
    );
    let (tell, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // Whoever does not trust it says nothing more.
            if let Some(request) = read(&mut stream) {
                let _gone = stream.write_all(answer(204, "").as_bytes());
                stream.conn.send_close_notify();
                let _gone = stream.flush();
                tell.send(request).unwrap();
            }
        }
    });
    (url, requests)
}

/// What a process says that trusts the certificates in `trusted` and posts there.
fn posted(url: &str, trusted: &Path) -> String {
    let ran = Command::new(env::current_exe().unwrap())
        .args(["--exact", "tls::posts", "--ignored", "--nocapture"])
        .env(URL, url)
        .env(SECRET, "from the environment")
        // A proxy that is not there: nothing asks it.
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .env("ALL_PROXY", "http://127.0.0.1:1")
        .env("SSL_CERT_FILE", trusted)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    assert!(ran.status.success());
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
#[ignore = "a part of the test below, in a process of its own because its environment is another"]
fn posts() {
    let url = env::var(URL).unwrap();
    let started = House::new().start(&format!(
        "[[hook]]\nevents = ['*']\nwebhook = '{url}'\nsecret_env = '{SECRET}'\n"
    ));
    started.send("e1");
    println!("{}", started.outcome());
}

#[test]
fn only_whom_the_machine_trusts_is_told_anything() {
    let house = House::new();
    house.hooks("");
    let own = house.path("own.pem");
    let (url, requests) = serve(&own);
    let other = house.path("other.pem");
    drop(serve(&other));

    let said = posted(&url, &other);
    assert!(
        said.contains("certificate") && !said.contains("delivered"),
        "{said}"
    );
    assert_eq!(requests.try_iter().count(), 0);

    let said = posted(&url, &own);
    assert!(said.contains("event e1: delivered"), "{said}");
    let request = requests.recv_timeout(LONG).unwrap();
    let given = request.header("dalsegno-signature");
    let at = given.trim_start_matches("t=").split(',').next().unwrap();
    let at = at.parse().unwrap();
    assert_eq!(given, signature(b"from the environment", at, &request.body));

    // The certificate is for this name only.
    let said = posted(&url.replace("localhost", "127.0.0.1"), &own);
    assert!(
        said.contains("certificate") && !said.contains("delivered"),
        "{said}"
    );
    assert_eq!(requests.try_iter().count(), 0);
}
