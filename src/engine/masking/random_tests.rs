//! Masks random secrets in random streams: whatever the pieces and batches are, nothing stored contains a secret or a form of it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::masker::MASK;
use super::{Carried, Channel, Followed, Masker, Piece, take, texts};

/// A generator of numbers that depend only on a seed (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn text(&mut self, letters: &[char], length: usize) -> String {
        (0..length).map(|_| letters[self.below(letters.len())]).collect()
    }

    fn secret(&mut self) -> String {
        let few: Vec<char> = "ab".chars().collect();
        let many: Vec<char> = "abcXYZ0189<>&\"'\\/ $`{}%+=?~#,;:@\u{e9}\u{1f600}\t".chars().collect();
        let letters = if self.below(4) == 0 { &few } else { &many };
        let length = 4 + self.below(28);
        let mut secret = self.text(letters, length);
        if self.below(4) == 0 {
            for _ in 0..self.below(3) {
                let length = 1 + self.below(12);
                secret = format!("{secret}\n{}", self.text(letters, length));
            }
        }
        secret.trim().to_owned()
    }
}

/// How programs print a secret.
fn printed(secret: &str, way: usize) -> String {
    let percent = |keep: &str| -> String {
        secret
            .bytes()
            .map(|byte| match byte {
                _ if byte.is_ascii_alphanumeric() || keep.as_bytes().contains(&byte) => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    match way {
        0 => serde_json::to_string(secret).unwrap(),
        1 => serde_json::to_string(&serde_json::json!({ "key": secret }).to_string()).unwrap(),
        2 => format!("+ login '{}'", secret.replace('\'', "'\\''")),
        3 => format!("https://user:{}@host/", percent("-._~")),
        4 => format!("a=1&b={}", percent("*-._ ").replace(' ', "+")),
        5 => format!("Basic {}", STANDARD.encode(format!("user:{secret}"))),
        6 => URL_SAFE.encode(secret),
        _ => secret.to_owned(),
    }
}

/// The streams of a random program, cut into random pieces.
fn program(random: &mut Random, secrets: &[String]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for _ in 0..random.below(40) {
        let channel = random.below(2);
        if random.below(12) == 0 {
            // So much of one stream that the other one cannot wait.
            let channel = if random.below(2) == 0 { Channel::Stdout } else { Channel::Stderr };
            pieces.extend(vec![Piece { channel, text: "0".into(), open: false }; 70]);
            continue;
        }
        let plain: Vec<char> = "ab xyz019".chars().collect();
        let length = random.below(12);
        let mut text = random.text(&plain, length);
        if random.below(2) == 0 {
            let secret = &secrets[random.below(secrets.len())];
            let length = random.below(4);
            text = format!("{text}{}{}", printed(secret, random.below(12)), random.text(&plain, length));
        }
        for line in text.split('\n') {
            let mut rest: Vec<char> = line.chars().collect();
            loop {
                let cut = if random.below(2) == 0 { rest.len() } else { random.below(rest.len() + 1).max(1) };
                let behind = rest.split_off(cut.min(rest.len()));
                let is_last = behind.is_empty();
                let channel = if channel == 0 { Channel::Stdout } else { Channel::Stderr };
                pieces.push(Piece { channel, text: rest.into_iter().collect(), open: !is_last });
                if is_last {
                    break;
                }
                rest = behind;
            }
        }
    }
    pieces
}

/// What is stored of the pieces, in random batches; what waits is given again, as a runner does.
fn stored(random: &mut Random, masker: &Masker, pieces: &[Piece]) -> Vec<Piece> {
    let (mut done, mut carried) = (Vec::new(), Carried::default());
    let mut seen = 0;
    while done.len() < pieces.len() {
        seen = (seen + 1 + random.below(8)).min(pieces.len());
        let followed = if seen == pieces.len() { Followed::ByNothing } else { Followed::ByMore };
        let mut batch = pieces[done.len()..seen].to_vec();
        carried = take(masker, &carried, &mut batch, followed);
        done.extend(batch);
    }
    done
}

/// What a stream shows: its pieces, with line feeds behind those that end a line.
fn shown(pieces: &[Piece], channel: Channel) -> String {
    let own = pieces.iter().filter(|piece| piece.channel == channel);
    own.map(|piece| format!("{}{}", piece.text, if piece.open { "" } else { "\n" })).collect()
}

#[test]
fn nothing_stored_contains_a_secret() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let secrets: Vec<String> = (0..1 + random.below(4)).map(|_| random.secret()).collect();
        let secrets: Vec<String> = secrets.into_iter().filter(|secret| secret.chars().count() >= 4).collect();
        if secrets.is_empty() {
            continue;
        }
        let masker = Masker::new(&texts(secrets.iter().map(String::as_str)));
        let pieces = program(&mut random, &secrets);
        let done = stored(&mut random, &masker, &pieces);
        assert_eq!(done.len(), pieces.len(), "seed {seed}");
        for channel in [Channel::Stdout, Channel::Stderr] {
            let (before, after) = (shown(&pieces, channel), shown(&done, channel));
            for secret in &secrets {
                for way in 0..8 {
                    let form = printed(secret, way);
                    assert!(!after.contains(&form), "seed {seed}: {form:?} in {after:?}, from {before:?}");
                }
            }
            // Nothing else is lost: what is left of the text is in order what it was.
            let mut rest = before.as_str();
            for part in after.split(MASK).flat_map(|part| part.split('\n')) {
                let (_, behind) =
                    rest.split_once(part).unwrap_or_else(|| panic!("seed {seed}: {part:?} is not in {before:?}"));
                rest = behind;
            }
        }
        let clean = [Piece { channel: Channel::Stdout, text: "0 x1 yz".into(), open: false }];
        let mut same = clean.to_vec();
        take(&masker, &Carried::default(), &mut same, Followed::ByMore);
        assert!(same.is_empty() || same == clean, "seed {seed}");
    }
}
