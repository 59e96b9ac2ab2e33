//! Pure: masks the lines of a run as two streams that go on, however they are cut into pieces and batches.
//!
//! A piece in which a secret may begin waits for the next one, and with it everything behind it. If too much would wait, it is
//! stored with the beginning masked, and what may have begun is carried to the next batch.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::masker::{MASK, Masker};

/// How many pieces may wait for a piece of the other stream.
const MOST_BEHIND: usize = 64;
/// How many pieces may wait altogether, and how many bytes they may have.
pub const MOST_WAITING: usize = 4000;
pub const MOST_WAITING_BYTES: usize = 1024 * 1024 + 64 * 1024;

/// The streams of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Stdout,
    Stderr,
}

const CHANNELS: [Channel; 2] = [Channel::Stdout, Channel::Stderr];

/// A line, or a part of a line that may go on in the next piece of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub channel: Channel,
    pub text: String,
    pub open: bool,
}

/// The ends of the streams that were stored although a secret may go on behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Carried {
    stdout: String,
    stderr: String,
}

impl Carried {
    /// Whether nothing is carried.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stdout.is_empty() && self.stderr.is_empty()
    }

    fn of(&self, channel: Channel) -> &str {
        match channel {
            Channel::Stdout => &self.stdout,
            Channel::Stderr => &self.stderr,
        }
    }

    fn set(&mut self, channel: Channel, text: &str) {
        match channel {
            Channel::Stdout => self.stdout = text.to_owned(),
            Channel::Stderr => self.stderr = text.to_owned(),
        }
    }
}

/// What a batch of pieces is followed by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// More pieces may follow.
    ByMore,
    ByNothing,
}

/// Masks the pieces that can be stored now, and removes those that have to wait. Returns what the next batch goes on from.
pub fn take(masker: &Masker, before: &Carried, pieces: &mut Vec<Piece>, followed: Followed) -> Carried {
    let mut carried = Carried::default();
    if masker.is_idle() {
        return carried;
    }
    if followed == Followed::ByMore {
        pieces.truncate(storable(masker, before, pieces));
    }
    for channel in CHANNELS {
        let joined = Joined::new(channel, before, pieces);
        let mut secrets = masker.find(&joined.text);
        if followed == Followed::ByMore
            && let Some(beginning) = masker.beginning(&joined.text)
        {
            if !beginning.is_harmless {
                // It overlaps no secret that goes beyond it, for it ends the text.
                while secrets.pop_if(|secret| secret.start >= beginning.at).is_some() {}
                match secrets.last_mut().filter(|last| last.end > beginning.at) {
                    Some(last) => last.end = joined.text.len(),
                    None => secrets.push(beginning.at..joined.text.len()),
                }
            }
            carried.set(channel, joined.text.get(beginning.at..).unwrap_or_default());
        }
        joined.mask(&secrets, pieces);
    }
    carried
}

/// How many of the pieces can be stored without ending inside what may be a secret. All of them if too many would wait.
fn storable(masker: &Masker, before: &Carried, pieces: &[Piece]) -> usize {
    let mut count = pieces.len();
    loop {
        let now = pieces.get(..count).unwrap_or_default();
        let waits = CHANNELS.into_iter().filter_map(|channel| {
            let last = now.iter().rfind(|piece| piece.channel == channel)?;
            // Most secrets cannot go on behind the end of a line.
            if !last.open && !masker.spans_lines() {
                return None;
            }
            let joined = Joined::new(channel, before, now);
            let first = joined.piece_at(masker.beginning(&joined.text)?.at);
            Some((first, channel))
        });
        let Some((first, channel)) = waits.min_by_key(|(first, _)| *first) else { return count };
        let waiting = pieces.get(first..).unwrap_or_default();
        let behind = waiting.iter().filter(|piece| piece.channel != channel).count();
        let bytes: usize = waiting.iter().map(|piece| piece.text.len()).sum();
        if behind > MOST_BEHIND || waiting.len() > MOST_WAITING || bytes > MOST_WAITING_BYTES {
            return count;
        }
        count = first;
    }
}

/// The text of a stream, with the places of its pieces.
struct Joined {
    text: String,
    /// The number of each piece, and where it begins and ends in the text.
    places: Vec<(usize, usize, usize)>,
}

impl Joined {
    fn new(channel: Channel, before: &Carried, pieces: &[Piece]) -> Self {
        let mut text = before.of(channel).to_owned();
        let mut places = Vec::new();
        for (number, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece.channel == channel) {
            let begin = text.len();
            text.push_str(&piece.text);
            places.push((number, begin, text.len()));
            if !piece.open {
                text.push('\n');
            }
        }
        Self { text, places }
    }

    /// The number of the piece that has a place of the text; the first one if the text before has it.
    fn piece_at(&self, place: usize) -> usize {
        let later = self.places.partition_point(|(_, begin, _)| *begin <= place);
        self.places.get(later.saturating_sub(1)).map_or(0, |(number, ..)| *number)
    }

    /// Masks secrets in the pieces. A secret is replaced once in each line that has a part of it.
    fn mask(&self, secrets: &[std::ops::Range<usize>], pieces: &mut [Piece]) {
        let mut secrets = secrets.iter().peekable();
        let mut is_masked = false;
        for (number, begin, end) in &self.places {
            let mut position = *begin;
            let mut out: Option<String> = None;
            while let Some(secret) = secrets.next_if(|secret| secret.end <= *begin) {
                let _passed = secret;
                is_masked = false;
            }
            while let Some(secret) = secrets.peek().filter(|secret| secret.start < *end) {
                let masked = out.get_or_insert_default();
                masked.push_str(self.text.get(position..secret.start).unwrap_or_default());
                if !is_masked {
                    masked.push_str(MASK);
                }
                position = secret.end.min(*end);
                is_masked = secret.end > *end;
                if is_masked {
                    break;
                }
                secrets.next();
            }
            let Some(piece) = pieces.get_mut(*number) else { continue };
            // The next line shows again that something is masked in it.
            is_masked &= piece.open;
            if let Some(mut masked) = out {
                masked.push_str(self.text.get(position..*end).unwrap_or_default());
                piece.text = masked;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::texts::texts;
    use super::{Carried, Channel, Followed, MOST_BEHIND, Masker, Piece, take};

    fn piece(text: &str) -> Piece {
        let (text, open) = text.strip_suffix('…').map_or((text, false), |text| (text, true));
        let (text, channel) = text.strip_prefix("2:").map_or((text, Channel::Stdout), |text| (text, Channel::Stderr));
        Piece { channel, text: text.to_owned(), open }
    }

    /// Masks one batch; a text that ends with `…` is open, and one that begins with `2:` is on stderr.
    fn batch(secrets: &[&str], before: &Carried, given: &[&str], followed: Followed) -> (Vec<String>, Carried) {
        let mut pieces: Vec<Piece> = given.iter().copied().map(piece).collect();
        let carried = take(&Masker::new(&texts(secrets.iter().copied())), before, &mut pieces, followed);
        (pieces.into_iter().map(|piece| piece.text).collect(), carried)
    }

    #[test]
    fn secrets_are_masked_across_the_pieces_of_a_line() {
        let all = |given: &[&str]| batch(&["hunter22", "abcd"], &Carried::default(), given, Followed::ByNothing).0;
        assert_eq!(all(&["a hun…", "ter22 b"]), ["a ********", " b"]);
        assert_eq!(all(&["abcdhunt…", "e…", "r22…", "…", "abcd"]), ["****************", "", "", "", "********"]);
        assert_eq!(all(&["hun…", "ger"]), ["hun", "ger"]);
        assert_eq!(all(&["hun", "ter22"]), ["hun", "ter22"]);
        assert_eq!(all(&["hunter22"]), ["********"]);
        assert_eq!(all(&["hun…", "2:abcd", "ter22", "2:abc…", "2:d"]), ["********", "********", "", "********", ""]);
        assert_eq!(batch(&[], &Carried::default(), &["a…", "b"], Followed::ByMore).0, ["a", "b"]);
    }

    #[test]
    fn secrets_of_several_lines_are_masked_in_each() {
        let all = |given: &[&str]| batch(&["true\n1234\nnull"], &Carried::default(), given, Followed::ByNothing).0;
        assert_eq!(all(&["true", "1234", "null", "true"]), ["********", "********", "********", "true"]);
        assert_eq!(
            all(&["x: true", "2:between", "12…", "34", "null!"]),
            ["x: ********", "between", "********", "", "********!"]
        );
        assert_eq!(all(&["true", "1234", "nil"]), ["true", "1234", "nil"]);
    }

    #[test]
    fn what_may_be_a_secret_waits() {
        let (stored, carried) =
            batch(&["hunter22"], &Carried::default(), &["one", "h…", "u…", "2:other", "n…"], Followed::ByMore);
        assert_eq!((stored, carried.is_empty()), (vec!["one".to_owned()], true));
        let secrets = ["hunter22", "other!"];
        let (stored, _) = batch(&secrets, &Carried::default(), &["2:oth…", "x", "h…"], Followed::ByMore);
        assert_eq!(stored, Vec::<String>::new(), "neither stream ends inside what may be a secret");
        let (stored, _) = batch(&["true\n1234"], &Carried::default(), &["a", "true"], Followed::ByMore);
        assert_eq!(stored, ["a"]);
    }

    #[test]
    fn what_cannot_wait_is_carried() {
        let others = vec!["2:other"; MOST_BEHIND + 1];
        let given = [vec!["a hunt…"], others.clone()].concat();
        let (stored, carried) = batch(&["hunter22"], &Carried::default(), &given, Followed::ByMore);
        assert_eq!((stored[0].as_str(), stored.len()), ("a ********", MOST_BEHIND + 2));
        let (stored, again) = batch(&["hunter22"], &carried, &[vec!["er…"], others].concat(), Followed::ByMore);
        assert_eq!((stored[0].as_str(), again.is_empty()), ("********", false));
        let (stored, last) = batch(&["hunter22"], &again, &["22 b", "hunter"], Followed::ByMore);
        assert_eq!((stored, last.is_empty()), (vec!["******** b".to_owned(), "hunter".to_owned()], true));
    }
}
