//! A connection that is kept open, with as little between the clock and the socket as possible.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A request, as bytes.
pub(crate) fn request(method: &str, path: &str, token: &str, body: Option<&str>) -> Vec<u8> {
    request_with("application/json", method, path, token, body)
}

fn request_with(media: &str, method: &str, path: &str, token: &str, body: Option<&str>) -> Vec<u8> {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {token}\r\n");
    match body {
        None => format!("{head}\r\n").into_bytes(),
        Some(body) => {
            let length = body.len();
            format!("{head}Content-Type: {media}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
        }
    }
}

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 1 << 16] }
    }

    /// Sends a request, which must succeed, and returns the body of the response.
    pub(crate) fn send(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).unwrap();
        let mut have = 0;
        let end = loop {
            have += self.more(have);
            if let Some(end) = self.buffer[..have].windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_lowercase();
        assert!(head.starts_with("http/1.1 2"), "{head}\n{}", String::from_utf8_lossy(&self.buffer[end..have]));
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        match length.map(|length| end + length.parse::<usize>().unwrap()) {
            Some(whole) => {
                while have < whole {
                    have += self.more(have);
                }
            }
            // In pieces; the last one is empty.
            None => {
                while !self.buffer[..have].ends_with(b"\r\n0\r\n\r\n") {
                    have += self.more(have);
                }
            }
        }
        &self.buffer[end..have]
    }

    fn more(&mut self, have: usize) -> usize {
        if have == self.buffer.len() {
            self.buffer.resize(have * 2, 0);
        }
        let count = self.stream.read(&mut self.buffer[have..]).unwrap();
        assert!(count > 0, "the server closed the connection");
        count
    }
}

/// One request on a connection of its own, and its response as JSON.
pub(crate) fn call(
    address: &str,
    method: &str,
    path: &str,
    token: &str,
    body: Option<serde_json::Value>,
) -> serde_json::Value {
    call_with("application/json", address, method, path, token, body)
}

/// The same with a body of another type of JSON.
pub(crate) fn call_with(
    media: &str,
    address: &str,
    method: &str,
    path: &str,
    token: &str,
    body: Option<serde_json::Value>,
) -> serde_json::Value {
    let body = body.map(|body| body.to_string());
    let request = request_with(media, method, path, token, body.as_deref());
    serde_json::from_slice(Connection::open(address).send(&request)).unwrap()
}
