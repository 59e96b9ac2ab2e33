//! Pure: turns the progress of BuildKit into lines of a log.
//!
//! The engine sends messages of BuildKit's `StatusResponse` (`api/services/control/control.proto`), of which only the fields that
//! are shown are declared here.

use std::collections::HashMap;

use prost::Message as _;

#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(message, repeated, tag = "1")]
    vertexes: Vec<Vertex>,
    #[prost(message, repeated, tag = "3")]
    logs: Vec<Log>,
}

/// A step of a build.
#[derive(Clone, PartialEq, prost::Message)]
struct Vertex {
    #[prost(string, tag = "1")]
    digest: String,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(bool, tag = "4")]
    cached: bool,
    #[prost(message, optional, tag = "5")]
    started: Option<Time>,
    #[prost(message, optional, tag = "6")]
    completed: Option<Time>,
    #[prost(string, tag = "7")]
    error: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Log {
    #[prost(string, tag = "1")]
    vertex: String,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

/// A step that was shown.
#[derive(Default)]
struct Shown {
    number: usize,
    began: bool,
    ended: bool,
    /// Output after its last newline.
    open: Vec<u8>,
}

/// The most bytes of a line that has no end yet.
const OPEN_BYTES: usize = 16 * 1024;

/// The progress of a build.
#[derive(Default)]
pub(super) struct BuildProgress {
    steps: HashMap<String, Shown>,
}

impl BuildProgress {
    /// The lines of a message. Steps are numbered in the order in which they begin.
    pub(super) fn lines(&mut self, message: &[u8]) -> Vec<String> {
        let Ok(status) = Status::decode(message) else { return Vec::new() };
        let mut lines = Vec::new();
        for vertex in &status.vertexes {
            if vertex.started.is_some() || vertex.cached {
                self.begin(vertex, &mut lines);
            }
        }
        for log in status.logs {
            let Some(shown) = self.steps.get_mut(&log.vertex) else { continue };
            shown.open.extend_from_slice(&log.text);
            while let Some(end) = shown.open.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = shown.open.drain(..=end).collect();
                lines.push(format!("#{} {}", shown.number, String::from_utf8_lossy(&line).trim_end()));
            }
            if shown.open.len() > OPEN_BYTES {
                lines.extend(shown.rest());
            }
        }
        for vertex in &status.vertexes {
            self.end(vertex, &mut lines);
        }
        lines
    }

    fn begin(&mut self, vertex: &Vertex, lines: &mut Vec<String>) {
        let next = self.steps.values().filter(|shown| shown.began).count() + 1;
        let shown = self.steps.entry(vertex.digest.clone()).or_default();
        if !shown.began {
            shown.began = true;
            shown.number = next;
            lines.push(format!("#{next} {}", vertex.name));
        }
    }

    fn end(&mut self, vertex: &Vertex, lines: &mut Vec<String>) {
        let Some(shown) = self.steps.get_mut(&vertex.digest).filter(|shown| !shown.ended) else { return };
        if vertex.completed.is_none() && !vertex.cached {
            return;
        }
        shown.ended = true;
        lines.extend(shown.rest());
        let how = match (vertex.error.as_str(), vertex.cached) {
            ("", true) => "CACHED".to_owned(),
            ("", false) => "DONE".to_owned(),
            (error, _) => format!("ERROR: {error}"),
        };
        lines.push(format!("#{} {how}", shown.number));
    }
}

impl Shown {
    /// The line that has no end.
    fn rest(&mut self) -> Option<String> {
        let open = std::mem::take(&mut self.open);
        (!open.is_empty()).then(|| format!("#{} {}", self.number, String::from_utf8_lossy(&open).trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::{BuildProgress, Log, Status, Time, Vertex};

    #[test]
    fn steps_logs_and_errors() {
        let step = |digest: &str, name: &str| Vertex { digest: digest.into(), name: name.into(), ..Vertex::default() };
        let time = Some(Time { seconds: 1 });
        let log = |vertex: &str, text: &str| Log { vertex: vertex.into(), text: text.as_bytes().to_vec() };
        let mut progress = BuildProgress::default();
        let mut lines = |vertexes, logs| progress.lines(&Status { vertexes, logs }.encode_to_vec());
        let waiting = vec![step("a", "FROM x"), step("b", "RUN y")];
        assert!(lines(waiting, vec![log("b", "early\n")]).is_empty());
        let cached = Vertex { cached: true, ..step("a", "FROM x") };
        let began = Vertex { started: time, ..step("b", "RUN y") };
        assert_eq!(
            lines(vec![cached, began.clone()], vec![log("b", "one\r\ntw")]),
            ["#1 FROM x", "#2 RUN y", "#2 one", "#1 CACHED"]
        );
        let failed = Vertex { completed: time, error: "exit code: 7".into(), ..began };
        assert_eq!(lines(vec![failed.clone()], vec![log("b", "o")]), ["#2 two", "#2 ERROR: exit code: 7"]);
        assert!(lines(vec![failed], Vec::new()).is_empty());
        assert!(progress.lines(b"\xff\xff").is_empty());
    }
}
