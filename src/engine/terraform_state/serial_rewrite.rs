//! Pure: gives a state another serial while its bytes pass by. Nothing else of it changes.

/// The longest key that is compared.
const LONGEST_KEY: usize = 16;

/// Replaces the serial of a state.
pub(super) struct SerialRewrite {
    serial: i64,
    levels: u32,
    in_text: bool,
    is_escaped: bool,
    /// Whether the next text at the level of the state is a key.
    is_key: bool,
    key: Vec<u8>,
    /// Whether the value of the serial is being left out.
    is_leaving_out: bool,
}

impl SerialRewrite {
    pub(super) fn new(serial: i64) -> Self {
        Self {
            serial,
            levels: 0,
            in_text: false,
            is_escaped: false,
            is_key: false,
            key: Vec::new(),
            is_leaving_out: false,
        }
    }

    /// The next bytes, with the new serial.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut written = Vec::with_capacity(bytes.len() + 20);
        for byte in bytes {
            self.take(*byte, &mut written);
        }
        written
    }

    fn take(&mut self, byte: u8, written: &mut Vec<u8>) {
        if self.in_text {
            written.push(byte);
            if byte == b'"' && !self.is_escaped {
                self.in_text = false;
            } else if self.levels == 1 && self.is_key && self.key.len() < LONGEST_KEY {
                self.key.push(byte);
            }
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            return;
        }
        if self.is_leaving_out {
            if !matches!(byte, b',' | b'}') {
                return;
            }
            self.is_leaving_out = false;
        }
        written.push(byte);
        match byte {
            b'"' => {
                self.in_text = true;
                self.is_escaped = false;
                if self.is_key {
                    self.key.clear();
                }
            }
            b'{' | b'[' => {
                self.levels += 1;
                self.is_key = self.levels == 1 && byte == b'{';
            }
            b'}' | b']' => self.levels = self.levels.saturating_sub(1),
            b',' => self.is_key = self.levels == 1,
            b':' if self.levels == 1 => {
                self.is_key = false;
                if self.key == b"serial" {
                    written.extend_from_slice(format!(" {}", self.serial).as_bytes());
                    self.is_leaving_out = true;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SerialRewrite;

    #[test]
    fn only_the_serial_of_the_state_changes() {
        for (text, expected) in [
            (
                r#"{"version": 4, "serial": 17, "lineage": "serial"}"#,
                r#"{"version": 4, "serial": 1234, "lineage": "serial"}"#,
            ),
            ("{\n  \"serial\": 17\n}\n", "{\n  \"serial\": 1234}\n"),
            (
                r#"{"outputs":{"serial":{"value":5}},"a":"\"serial\": 1","serial":5}"#,
                r#"{"outputs":{"serial":{"value":5}},"a":"\"serial\": 1","serial": 1234}"#,
            ),
            (r#"{"a":["serial",{"serial":1}],"serials":2}"#, r#"{"a":["serial",{"serial":1}],"serials":2}"#),
        ] {
            for size in [1, 3, 1000] {
                let mut rewrite = SerialRewrite::new(1234);
                let written: Vec<u8> = text.as_bytes().chunks(size).flat_map(|piece| rewrite.push(piece)).collect();
                assert_eq!(String::from_utf8(written).unwrap(), expected, "{size}");
            }
        }
    }
}
