//! Whether the TLS certificate could be reloaded after its files had changed.

use std::sync::{Mutex, PoisonError};

/// Why the certificate could not be reloaded; `None` if it could.
#[derive(Default)]
pub struct CertificateFault(Mutex<Option<String>>);

impl CertificateFault {
    /// Records the result of a reload.
    pub fn set_fault(&self, fault: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Whether the last reload failed.
    #[must_use]
    pub fn has_fault(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}
