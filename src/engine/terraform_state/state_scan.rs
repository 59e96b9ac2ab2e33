//! Pure: finds the resources of a state while its bytes pass by, and holds little of it. That they are JSON is checked elsewhere.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The longest name that is read, in bytes as they are written.
const LONGEST_NAME: usize = 1024;
/// The most instances that are held while their resource has not been named yet, and the most bytes of them.
const MOST_WAITING: usize = 10_000;
const MOST_WAITING_BYTES: usize = 8 * 1024 * 1024;
/// The largest instance whose text is kept.
const MOST_INSTANCE_BYTES: usize = 512 * 1024;

/// What is read of each instance besides its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Names,
    /// And a digest of its text.
    Digests,
    /// And its text, unless it is large.
    Texts,
}

/// An instance of a resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FoundInstance {
    pub(super) address: String,
    pub(super) module: Option<String>,
    pub(super) mode: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) provider: String,
    pub(super) digest: Option<[u8; 32]>,
    pub(super) text: Option<Vec<u8>>,
}

/// Where the names of a resource are complete enough for its address. Terraform writes them first.
const NAMES: [&str; 4] = ["mode", "type", "name", "provider"];

#[derive(Default)]
struct Instance {
    index: Option<Value>,
    deposed: Option<String>,
    hash: Option<Sha256>,
    text: Option<Vec<u8>>,
}

/// What the scan is about to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Key,
    Value,
}

/// The scan of one state.
pub(super) struct StateScan {
    depth: Depth,
    /// The open objects (true) and lists, from outside to inside.
    open: Vec<bool>,
    next: Token,
    in_text: bool,
    is_escaped: bool,
    /// The text or number that is being read, if it matters.
    held: Option<Vec<u8>>,
    is_long: bool,
    /// The last key at the levels of the state, of a resource and of an instance.
    keys: [String; 3],
    names: BTreeMap<String, String>,
    instance: Option<Instance>,
    waiting: Vec<Instance>,
    waiting_bytes: usize,
    /// Whether instances were left out.
    pub(super) is_cut: bool,
    /// Whether the tool has encrypted the state, so that nothing is found in it.
    pub(super) is_encrypted: bool,
}

impl StateScan {
    pub(super) fn new(depth: Depth) -> Self {
        Self {
            depth,
            open: Vec::new(),
            next: Token::Value,
            in_text: false,
            is_escaped: false,
            held: None,
            is_long: false,
            keys: Default::default(),
            names: BTreeMap::new(),
            instance: None,
            waiting: Vec::new(),
            waiting_bytes: 0,
            is_cut: false,
            is_encrypted: false,
        }
    }

    /// Reads the next bytes, and hands over the instances that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], found: &mut impl FnMut(FoundInstance)) {
        // The part of these bytes that belongs to the instance that is open.
        let mut from = 0;
        for (place, byte) in bytes.iter().enumerate() {
            if self.in_text {
                self.text(*byte);
                continue;
            }
            match byte {
                b'"' => {
                    self.in_text = true;
                    self.is_long = false;
                    self.held = self.matters().then(Vec::new);
                }
                b'{' | b'[' => {
                    if *byte == b'{' && self.is_at_instance() {
                        from = place;
                        self.begin();
                    }
                    self.open.push(*byte == b'{');
                    self.next = if *byte == b'{' { Token::Key } else { Token::Value };
                }
                b'}' | b']' => {
                    self.number();
                    self.open.pop();
                    if *byte == b'}' && self.is_at_instance() {
                        self.note(bytes.get(from..=place).unwrap_or_default());
                        self.end_instance(found);
                    } else if *byte == b'}' && self.is_at_resource() {
                        self.end_resource(found);
                    }
                    self.next = Token::Value;
                }
                b',' => {
                    self.number();
                    self.next = if self.open.last() == Some(&true) { Token::Key } else { Token::Value };
                }
                b':' => self.next = Token::Value,
                b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E' if self.is_index() => {
                    let held = self.held.get_or_insert_default();
                    if held.len() < LONGEST_NAME {
                        held.push(*byte);
                    }
                }
                _ => {}
            }
        }
        if self.instance.is_some() {
            self.note(bytes.get(from..).unwrap_or_default());
        }
    }

    /// The level of the last key that matters here: of the state, a resource or an instance.
    fn level(&self) -> Option<usize> {
        match self.open.len() {
            1 => Some(0),
            3 if self.is_in_resources() => Some(1),
            5 if self.is_in_instances() => Some(2),
            _ => None,
        }
    }

    fn key(&self, level: usize) -> &str {
        self.keys.get(level).map(String::as_str).unwrap_or_default()
    }

    fn is_in_resources(&self) -> bool {
        self.key(0) == "resources" && self.open.get(1) == Some(&false)
    }

    fn is_in_instances(&self) -> bool {
        self.is_in_resources() && self.key(1) == "instances" && self.open.get(3) == Some(&false)
    }

    /// Whether an object that begins or has just ended here is a resource, or an instance of one.
    fn is_at_resource(&self) -> bool {
        self.open.len() == 2 && self.is_in_resources()
    }

    fn is_at_instance(&self) -> bool {
        self.open.len() == 4 && self.is_in_instances()
    }

    fn is_index(&self) -> bool {
        self.next == Token::Value && self.level() == Some(2) && self.key(2) == "index_key"
    }

    /// Whether the text that begins is a key or a value that matters.
    fn matters(&self) -> bool {
        match (self.level(), self.next) {
            (None, _) | (Some(0), Token::Value) => false,
            (Some(_), Token::Key) => true,
            (Some(1), Token::Value) => self.key(1) == "module" || NAMES.contains(&self.key(1)),
            (Some(_), Token::Value) => matches!(self.key(2), "index_key" | "deposed"),
        }
    }

    /// Reads a byte of a text.
    fn text(&mut self, byte: u8) {
        if byte == b'"' && !self.is_escaped {
            self.in_text = false;
            self.end_text();
            return;
        }
        self.is_escaped = byte == b'\\' && !self.is_escaped;
        if let Some(held) = &mut self.held {
            if held.len() < LONGEST_NAME {
                held.push(byte);
            } else {
                self.is_long = true;
            }
        }
    }

    fn end_text(&mut self) {
        let Some(held) = self.held.take() else { return };
        let quoted = [b"\"".as_slice(), &held, b"\""].concat();
        // A long one is cut; what is left of it names nothing else, and may end within an escape.
        let text = serde_json::from_slice::<String>(&quoted);
        let text = match (text, self.is_long) {
            (Ok(text), false) => text,
            (Ok(text), true) => format!("{text}…"),
            (Err(_), _) => format!("{}…", String::from_utf8_lossy(&held).trim_end_matches('\u{fffd}')),
        };
        let Some(level) = self.level() else { return };
        match (self.next, level) {
            (Token::Key, _) => {
                self.is_encrypted |= level == 0 && text == "encrypted_data";
                if let Some(key) = self.keys.get_mut(level) {
                    *key = text;
                }
            }
            (Token::Value, 1) => {
                self.names.insert(self.key(1).to_owned(), text);
            }
            (Token::Value, _) => {
                let is_deposed = self.key(2) == "deposed";
                if let Some(instance) = &mut self.instance {
                    if is_deposed { instance.deposed = Some(text) } else { instance.index = Some(Value::String(text)) }
                }
            }
        }
    }

    /// Ends the number that was being read, if one was.
    fn number(&mut self) {
        let Some(held) = self.held.take() else { return };
        if let Some(instance) = &mut self.instance {
            instance.index = serde_json::from_slice(&held).ok();
        }
    }

    fn begin(&mut self) {
        let (hash, text) = match self.depth {
            Depth::Names => (None, None),
            Depth::Digests => (Some(Sha256::new()), None),
            Depth::Texts => (None, Some(Vec::new())),
        };
        self.instance = Some(Instance { index: None, deposed: None, hash, text });
        if let Some(key) = self.keys.get_mut(2) {
            key.clear();
        }
    }

    /// Keeps what passes by of the instance that is open.
    fn note(&mut self, bytes: &[u8]) {
        let Some(instance) = &mut self.instance else { return };
        if let Some(hash) = &mut instance.hash {
            hash.update(bytes);
        }
        if let Some(text) = &mut instance.text {
            if text.len() + bytes.len() > MOST_INSTANCE_BYTES {
                instance.text = None;
            } else {
                text.extend_from_slice(bytes);
            }
        }
    }

    fn end_instance(&mut self, found: &mut impl FnMut(FoundInstance)) {
        let Some(instance) = self.instance.take() else { return };
        if NAMES.iter().all(|name| self.names.contains_key(*name)) {
            found(self.named(instance));
            return;
        }
        let bytes = instance.text.as_ref().map_or(0, Vec::len) + LONGEST_NAME;
        if self.waiting.len() >= MOST_WAITING || self.waiting_bytes + bytes > MOST_WAITING_BYTES {
            self.is_cut = true;
            return;
        }
        self.waiting_bytes += bytes;
        self.waiting.push(instance);
    }

    fn end_resource(&mut self, found: &mut impl FnMut(FoundInstance)) {
        let is_named = ["type", "name"].iter().all(|name| self.names.contains_key(*name));
        for instance in std::mem::take(&mut self.waiting).into_iter().filter(|_| is_named) {
            found(self.named(instance));
        }
        self.waiting_bytes = 0;
        self.names.clear();
        if let Some(key) = self.keys.get_mut(1) {
            key.clear();
        }
    }

    fn named(&self, instance: Instance) -> FoundInstance {
        let name = |key: &str| self.names.get(key).cloned().unwrap_or_default();
        let module = self.names.get("module").filter(|module| !module.is_empty()).cloned();
        let (mode, kind, called, provider) = (name("mode"), name("type"), name("name"), name("provider"));
        let mut address = module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
        if mode == "data" {
            address.push_str("data.");
        }
        address.push_str(&format!("{kind}.{called}"));
        if let Some(index) = instance.index {
            address.push_str(&format!("[{index}]"));
        }
        if let Some(key) = instance.deposed {
            address.push_str(&format!(" (deposed object {key})"));
        }
        // `provider["registry.opentofu.org/hashicorp/null"]`, with an optional module prefix or alias suffix.
        let provider = provider.split('"').nth(1).map(str::to_owned).unwrap_or(provider);
        FoundInstance {
            address,
            module,
            mode,
            kind,
            name: called,
            provider,
            digest: instance.hash.map(|hash| hash.finalize().into()),
            text: instance.text,
        }
    }
}

#[cfg(test)]
#[path = "state_scan_tests.rs"]
mod tests;
