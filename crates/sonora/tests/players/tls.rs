use std::process::Command;
use std::sync::Arc;

use dalsegno_sonora::lavalink::{Address, Password};
use dalsegno_sonora::{Client, Options};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::world::{BOT, node};

const PORT: &str = "SONORA_TEST_TLS_PORT";
const PASSWORD: &str = "SONORA_TEST_PASSWORD";

/// Which certificates a machine trusts is asked by its environment, which only a new process has anew.
fn client(port: u16, trusted: &std::path::Path, password: &str) -> std::process::Output {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tls::a_client_of_its_own",
            "--include-ignored",
            "--nocapture",
        ])
        .env(PORT, port.to_string())
        .env(PASSWORD, password)
        .env("SSL_CERT_FILE", trusted)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap()
}

#[tokio::test]
#[ignore = "only in the process that the other test starts"]
async fn a_client_of_its_own() {
    let Ok(port) = std::env::var(PORT) else {
        return;
    };
    let password = Password::from_environment(PASSWORD).unwrap();
    let address = Address::new("127.0.0.1", port.parse().unwrap(), password).secure(true);
    match Client::start(Options::new(BOT).node("main", address)).await {
        Ok(client) => {
            client.get_player(7).set_volume(30).await.unwrap();
            println!("connected");
        }
        Err(error) => println!("refused: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_behind_tls_is_trusted_by_its_certificate_alone() {
    let node = node();
    let folder = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (trusted, other) = (
        folder.path().join("trusted.pem"),
        folder.path().join("other.pem"),
    );
    std::fs::write(&trusted, own.cert.pem()).unwrap();
    let stranger = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&other, stranger.cert.pem()).unwrap();

    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, behind) = (listener.local_addr().unwrap().port(), node.port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Whoever does not trust it hangs up.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut to = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                let _ended = tokio::io::copy_bidirectional(&mut stream, &mut to).await;
            });
        }
    });

    let password = node.password().to_owned();
    let said = |trusted: std::path::PathBuf| {
        let password = password.clone();
        tokio::task::spawn_blocking(move || {
            let output = client(port, &trusted, &password);
            String::from_utf8_lossy(&output.stdout).into_owned()
        })
    };
    assert!(said(trusted).await.unwrap().contains("connected"));
    assert_eq!(node.player(7).unwrap().volume, 30);
    let refused = said(other).await.unwrap();
    assert!(
        refused.contains("refused: ") && refused.contains("certificate"),
        "{refused}"
    );
}
