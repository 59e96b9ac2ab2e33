//! A mail server on this machine: it speaks as much of SMTP as a client needs, with STARTTLS if it has a certificate, and keeps what it
//! accepts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::KeyPair;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A mail as it was accepted.
#[derive(Clone, Debug, Default)]
pub(super) struct Accepted {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) login: Option<String>,
    /// Whether the mail and its login were encrypted.
    pub(super) encrypted: bool,
    pub(super) data: String,
}

#[derive(Default)]
pub(super) struct MailServer {
    pub(super) accepted: Mutex<Vec<Accepted>>,
    /// What it answers to the end of the data, instead of accepting it.
    pub(super) refuses: Mutex<Option<String>>,
    /// How long it takes to say that it has accepted a mail. If it takes long, it does not say goodbye either.
    pub(super) slowness: Mutex<Duration>,
    tls: Option<Arc<rustls::ServerConfig>>,
}

/// A connection, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl MailServer {
    /// Starts it, and returns it with its address.
    pub(super) async fn start() -> (Arc<Self>, String) {
        Self::default().listen().await
    }

    /// Starts one that offers STARTTLS.
    pub(super) async fn encrypted(certificate: CertificateDer<'static>, key: &KeyPair) -> (Arc<Self>, String) {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self { tls: Some(Arc::new(tls)), ..Self::default() }.listen().await
    }

    async fn listen(self) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Arc::new(self);
        let own = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move { own.serve(Box::new(stream)).await });
            }
        });
        (server, address)
    }

    async fn serve(&self, stream: Box<dyn Stream>) -> Option<()> {
        let mut stream = BufReader::new(stream);
        let mut mail = Accepted::default();
        stream.get_mut().write_all(b"220 mail.example ESMTP\r\n").await.ok()?;
        while let Some(line) = line(&mut stream).await {
            let is_slow = !self.slowness.lock().unwrap().is_zero();
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" if self.tls.is_some() && !mail.encrypted => "250-mail.example\r\n250 STARTTLS".to_owned(),
                "EHLO" => "250-mail.example\r\n250 AUTH PLAIN".to_owned(),
                "STARTTLS" => {
                    stream.get_mut().write_all(b"220 go on\r\n").await.ok()?;
                    let acceptor = TlsAcceptor::from(self.tls.clone()?);
                    let encrypted = acceptor.accept(stream.into_inner()).await.ok()?;
                    stream = BufReader::new(Box::new(encrypted));
                    mail = Accepted { encrypted: true, ..Accepted::default() };
                    continue;
                }
                "AUTH" => {
                    mail.login = Some(line.rsplit(' ').next().unwrap().to_owned());
                    "235 welcome".into()
                }
                "MAIL" => {
                    mail.from = line;
                    "250 ok".into()
                }
                "RCPT" => {
                    mail.to = line;
                    "250 ok".into()
                }
                "DATA" => {
                    stream.get_mut().write_all(b"354 go on\r\n").await.ok()?;
                    self.data(&mut stream, &mut mail).await
                }
                "QUIT" if is_slow => continue,
                "QUIT" => {
                    stream.get_mut().write_all(b"221 bye\r\n").await.ok()?;
                    return None;
                }
                _ => "250 ok".into(),
            };
            stream.get_mut().write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
        None
    }

    /// Reads a mail, and says whether it is accepted.
    async fn data(&self, stream: &mut BufReader<Box<dyn Stream>>, mail: &mut Accepted) -> String {
        while let Some(line) = line(stream).await.filter(|line| line != ".") {
            mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
            mail.data.push('\n');
        }
        let refusal = self.refuses.lock().unwrap().clone();
        if refusal.is_none() {
            self.accepted.lock().unwrap().push(mail.clone());
        }
        let slowness = *self.slowness.lock().unwrap();
        tokio::time::sleep(slowness).await;
        refusal.unwrap_or_else(|| "250 accepted".into())
    }
}

async fn line(stream: &mut BufReader<Box<dyn Stream>>) -> Option<String> {
    let mut line = String::new();
    let count = stream.read_line(&mut line).await.ok()?;
    (count > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}
