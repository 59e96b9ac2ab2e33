//! The certificates that workspace steps trust: those of the machine, and those of `--ca-file`, because a step requests its files and its
//! state from the server itself.

use std::path::Path;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::runner::{StepFile, StepSpec};
use crate::secret::Secret;

/// Where systems keep the certificates that they trust.
const OF_MACHINE: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The file in a container.
const FILE: &str = "/windlass/certificates.pem";

/// What programs read to find the file.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "CURL_CA_BUNDLE"];

/// The certificates for steps; none if the usual ones are enough.
pub(super) struct CertificatesForSteps {
    bundle: Option<String>,
    /// The settings of the agent that name certificates.
    inherited: Vec<(String, String)>,
}

impl CertificatesForSteps {
    pub(super) fn read(config: &Config, ca_file: Option<&Path>) -> Result<Self> {
        let Some(path) = ca_file else { return Ok(Self { bundle: None, inherited: config.trusted_certificates() }) };
        let own = std::fs::read_to_string(path);
        let own =
            own.map_err(|error| Error::invalid("--ca-file", format!("{} cannot be read: {error}", path.display())))?;
        let named = config.trusted_certificates().into_iter().find(|(name, _)| name == "SSL_CERT_FILE");
        let named = named.and_then(|(_, path)| std::fs::read_to_string(path).ok());
        let machine = named.or_else(|| OF_MACHINE.iter().find_map(|path| std::fs::read_to_string(path).ok()));
        Ok(Self { bundle: Some(format!("{}\n{own}", machine.unwrap_or_default())), inherited: Vec::new() })
    }

    /// Gives a plain process the settings of the agent that name certificates. In a container, their paths mean nothing.
    pub(super) fn inherit(&self, step: &mut StepSpec) {
        step.environment.extend(self.inherited.iter().cloned().map(|(name, path)| (name, Secret::new(path))));
    }

    /// Lets a step trust those of `--ca-file`.
    pub(super) fn add_to(&self, step: &mut StepSpec) {
        let Some(bundle) = &self.bundle else { return };
        let variables = VARIABLES.map(str::to_owned);
        step.environment.extend(variables.iter().map(|name| (name.clone(), Secret::new(FILE.to_owned()))));
        step.files.push(StepFile {
            variables: variables.to_vec(),
            path: FILE.to_owned(),
            content: Secret::new(bundle.clone()),
        });
    }
}
