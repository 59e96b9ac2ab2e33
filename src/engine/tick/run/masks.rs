//! What is masked in the log and the reason of a run, sealed in its row.

use std::borrow::Cow;

use entity::run;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::app::App;
use crate::engine::masking::{Carried, Masker};
use crate::error::{Error, Result};
use crate::secret;

/// The masks of a run whose secrets cannot be determined; no key opens them.
pub(in crate::engine) const UNKNOWN_MASKS: &[u8] = &[];

/// What is masked in a run.
pub(in crate::engine) struct Masks {
    texts: Zeroizing<Vec<String>>,
    pub(super) carried: Carried,
}

/// The stored form. A server of version 0.2 knows only the first one, and omits the log of a run that has the second.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Texts(Zeroizing<Vec<String>>),
    Carrying { texts: Zeroizing<Vec<String>>, carried: Carried },
}

impl Masks {
    pub(in crate::engine) fn new(texts: Zeroizing<Vec<String>>) -> Self {
        Self { texts, carried: Carried::default() }
    }

    /// The masks of a run; none if there is nothing to mask.
    pub(in crate::engine) fn of(app: &App, run: &run::Model) -> Result<Option<Self>> {
        let Some(sealed) = &run.masks else { return Ok(None) };
        let opened = app.keys.open(&secret::place("run", run.id.0), sealed)?;
        let stored = serde_json::from_slice(opened.expose());
        Ok(Some(match stored.map_err(|_| Error::internal("stored masks are not JSON"))? {
            Stored::Texts(texts) => Self::new(texts),
            Stored::Carrying { texts, carried } => Self { texts, carried },
        }))
    }

    /// The same masks, for lines that go on from others.
    pub(super) fn carrying(self, carried: Carried) -> Self {
        Self { carried, ..self }
    }

    pub(in crate::engine) fn masker(&self) -> Masker {
        Masker::new(&self.texts)
    }

    /// The masks for the row of a run; none if there is nothing to mask.
    pub(in crate::engine) fn sealed(self, app: &App, run: &run::Model) -> Result<Option<Vec<u8>>> {
        let Self { texts, carried } = self;
        if texts.is_empty() {
            return Ok(None);
        }
        let stored = if carried.is_empty() { Stored::Texts(texts) } else { Stored::Carrying { texts, carried } };
        let text = Zeroizing::new(serde_json::to_vec(&stored).map_err(Error::internal)?);
        app.keys.seal(&secret::place("run", run.id.0), &text).map(Some)
    }
}

/// A reason with the secrets of its run masked: it may repeat what a step printed.
pub(super) fn masked_reason(app: &App, run: &run::Model, reason: String) -> String {
    match Masks::of(app, run) {
        Ok(None) => reason,
        Ok(Some(masks)) => match masks.masker().mask(&reason) {
            Cow::Borrowed(_) => reason,
            Cow::Owned(masked) => masked,
        },
        Err(_) => "the reason is not shown, because the secrets to mask in it cannot be decrypted".to_owned(),
    }
}
