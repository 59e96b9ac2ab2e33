//! The certificate of the server, which is read again when its files change. Open connections keep the one that they began with.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Result};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// The largest file that can be a certificate chain or a key, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The contents of the two files.
#[derive(Clone, PartialEq, Eq)]
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The certificate in use.
pub(in crate::server) struct Certificates {
    files: (PathBuf, PathBuf),
    /// What the files contained when they were last read.
    seen: RwLock<Option<Pair>>,
    current: RwLock<Arc<ServerConfig>>,
}

impl Certificates {
    /// Reads the files; `None` without TLS.
    pub(in crate::server) fn load(config: &Config) -> Result<Option<Arc<Self>>> {
        let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) else { return Ok(None) };
        let files = (certificate.clone(), key.clone());
        let pair = read(&files).map_err(Error::internal)?;
        let current = parse(&files, &pair).map_err(Error::internal)?;
        let (seen, current) = (RwLock::new(Some(pair)), RwLock::new(Arc::new(current)));
        Ok(Some(Arc::new(Self { files, seen, current })))
    }

    /// The configuration for the next connection.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again. `None` if they have not changed since; otherwise why they cannot be used, if so.
    fn reload(&self) -> Option<Result<(), String>> {
        let pair = match read(&self.files) {
            Ok(pair) => pair,
            Err(reason) => {
                let was = self.seen.write().unwrap_or_else(PoisonError::into_inner).take();
                return was.map(|_| Err(reason));
            }
        };
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref() == Some(&pair) {
            return None;
        }
        let parsed = parse(&self.files, &pair);
        *seen = Some(pair);
        Some(parsed.map(|config| {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        }))
    }
}

/// Reads the files again when they change. Files that cannot be used are logged and shown by the health check, and the certificate in
/// use stays.
pub(in crate::server) async fn watch(app: &App, certificates: Option<Arc<Certificates>>, closing: CancellationToken) {
    let Some(certificates) = certificates else { return };
    while tokio::time::timeout(LOOK, closing.cancelled()).await.is_err() {
        let files = Arc::clone(&certificates);
        // Reading files may block.
        let Ok(reloaded) = tokio::task::spawn_blocking(move || files.reload()).await else { continue };
        match reloaded {
            None => {}
            Some(Ok(())) => {
                app.certificate.set_fault(None);
                tracing::info!("the TLS certificate was reloaded");
            }
            Some(Err(reason)) => {
                tracing::error!(reason, "the TLS certificate could not be reloaded; the previous one stays in use");
                app.certificate.set_fault(Some(reason));
            }
        }
    }
}

fn read((certificate, key): &(PathBuf, PathBuf)) -> Result<Pair, String> {
    let one = |flag: &str, path: &Path| {
        let of = |error: std::io::Error| format!("{flag}: cannot read {}: {error}", path.display());
        let length = std::fs::metadata(path).map_err(of)?.len();
        if length > LARGEST {
            return Err(format!("{flag}: {} is larger than {LARGEST} bytes", path.display()));
        }
        std::fs::read(path).map_err(of)
    };
    Ok(Pair { certificate: one("--tls-certificate", certificate)?, key: one("--tls-key", key)? })
}

/// The certificates of a server in the order of the file, the first of which fits the key.
///
/// # Errors
/// Why a server could not use the files.
pub fn certificate_chain(config: &Config) -> Result<Vec<CertificateDer<'static>>, String> {
    let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) else { return Ok(Vec::new()) };
    let files = (certificate.clone(), key.clone());
    let pair = read(&files)?;
    parse(&files, &pair)?;
    chain(&files.0, &pair)
}

fn chain(path: &Path, pair: &Pair) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pair.certificate).collect();
    let chain = chain.map_err(|error| format!("--tls-certificate: {} is not PEM: {error}", path.display()))?;
    if chain.is_empty() {
        return Err(format!("--tls-certificate: {} has no certificate", path.display()));
    }
    Ok(chain)
}

fn parse((certificate, key): &(PathBuf, PathBuf), pair: &Pair) -> Result<ServerConfig, String> {
    let chain = chain(certificate, pair)?;
    let private = PrivateKeyDer::from_pem_slice(&pair.key)
        .map_err(|error| format!("--tls-key: {} has no private key in PEM: {error}", key.display()))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| format!("--tls-key: {} does not fit {}: {error}", key.display(), certificate.display()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
