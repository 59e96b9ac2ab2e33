//! What all measures share.

use std::path::PathBuf;

use super::database::{Installation, POSTGRESQL, SQLITE};
use super::table::Table;

pub(crate) struct Bench {
    pub(crate) table: Table,
    /// How often a figure is measured, in turn with its floor; the median counts.
    pub(crate) rounds: usize,
    /// The program that runs start.
    pub(crate) program: PathBuf,
    /// The image for containers, if there is a Docker engine.
    pub(crate) image: Option<String>,
    /// The programs of the peers, if they are to be measured.
    pub(crate) peers: Option<PathBuf>,
    /// By what the largest numbers of rows are divided, to try a measure.
    pub(crate) divisor: usize,
    /// A PostgreSQL server.
    pub(crate) cluster: Option<String>,
}

impl Bench {
    /// The databases that can be measured.
    pub(crate) fn databases(&self) -> Vec<usize> {
        if self.cluster.is_some() { vec![SQLITE, POSTGRESQL] } else { vec![SQLITE] }
    }

    pub(crate) async fn install(&self, database: usize) -> Installation {
        Installation::new(database, self.cluster.as_deref()).await
    }
}
