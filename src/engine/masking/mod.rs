//! Pure: masks secret values in everything that shows text of a step, before it is stored.
//!
//! `texts` decides which texts of the secrets of a run are masked, `forms` in which forms tools print them, and `Masker` searches
//! for all of them at once, in the stream rather than in its lines: `seam` knows where a secret may go on. Most texts contain nothing
//! that a form begins with, which `prefixes` finds out quickly.

mod forms;
mod leaves;
mod masker;
mod overlap;
mod prefixes;
#[cfg(test)]
mod random_tests;
mod seam;
mod texts;

pub use self::leaves::leaves;
pub use self::masker::{MASK, Masker};
pub use self::seam::{Carried, Channel, Followed, MOST_WAITING, MOST_WAITING_BYTES, Piece, take};
pub use self::texts::texts;
