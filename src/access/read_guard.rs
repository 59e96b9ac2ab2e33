//! Checks again and again that a caller may go on reading: every response that outlives its request asks a guard before each piece,
//! so that it ends within a second after the credential was revoked or a right was withdrawn.

use std::time::{Duration, Instant};

use super::authenticate::Authenticator;
use super::caller::Caller;
use crate::error::{Error, Result};

/// How long an answer counts. Together with the time for which credentials are remembered, less than a second.
const COUNTS: Duration = Duration::from_millis(200);

/// What a caller wants to go on doing.
pub trait Permit: Send + Sync + 'static {
    /// Whether the caller may go on, with the roles that they have now.
    fn check(&self, caller: &Caller) -> impl Future<Output = Result<()>> + Send;
}

/// Guards one response.
pub struct Guard<P> {
    caller: Caller,
    permit: P,
    checked: Instant,
}

impl<P: Permit> Guard<P> {
    /// The caller has just been checked.
    pub fn new(caller: Caller, permit: P) -> Self {
        Self { caller, permit, checked: Instant::now() }
    }

    /// Whether the caller may still go on.
    ///
    /// # Errors
    /// `Unauthenticated`, `NotFound` or `Forbidden` when they may not; others when nobody knows now.
    pub async fn check(&mut self, authenticator: &Authenticator) -> Result<()> {
        if self.checked.elapsed() < COUNTS {
            return Ok(());
        }
        self.caller = authenticator.again(&self.caller).await?;
        self.permit.check(&self.caller).await?;
        self.checked = Instant::now();
        Ok(())
    }
}

/// Why a response ends early, if the caller has lost the right to it.
#[must_use]
pub fn lost(error: &Error) -> Option<&'static str> {
    match error {
        Error::Unauthenticated(_) => Some("the credential is no longer valid"),
        Error::NotFound(_) | Error::Forbidden(_) => Some("the right to read it was withdrawn"),
        _ => None,
    }
}
