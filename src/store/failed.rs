//! Why a transaction failed, and whether it is repeated.

use sea_orm::DbErr;

use super::transient::{MayPass as _, Transient};

/// Why a transaction failed.
pub(super) struct Failed<E> {
    pub(super) error: E,
    pub(super) repeat: Repeat,
}

/// Whether a transaction that failed is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Part of it may be stored, or it has taken long to fail.
    Never,
    /// Nothing of it is stored.
    IfItMayPass,
    /// Nothing of it is stored, perhaps because of another transaction that was to be committed with it.
    Alone,
}

impl<E: From<DbErr>> Failed<E> {
    pub(super) fn new(error: DbErr, repeat: Repeat) -> Self {
        Self { error: error.into(), repeat }
    }

    /// Whoever waited for a connection in vain does not wait as long again.
    pub(super) fn to_begin(error: DbErr) -> Self {
        let waited = matches!(error, DbErr::ConnectionAcquire(_));
        Self::new(error, if waited { Repeat::Never } else { Repeat::IfItMayPass })
    }

    /// Without an answer to a commit, nobody knows whether it was carried out.
    pub(super) fn to_commit(error: DbErr) -> Self {
        let undone = error.transient() == Some(Transient::Contended);
        Self::new(error, if undone { Repeat::IfItMayPass } else { Repeat::Never })
    }
}
