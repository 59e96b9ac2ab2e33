//! A mail server on this machine: it speaks as much of SMTP as a client needs, and keeps what it accepts.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail as it was accepted.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) login: Option<String>,
    pub(super) data: String,
}

#[derive(Default)]
pub(super) struct MailServer {
    pub(super) accepted: Mutex<Vec<Accepted>>,
    /// What it answers to the end of the data, instead of accepting it.
    pub(super) refuses: Mutex<Option<String>>,
}

impl MailServer {
    /// Starts it, and returns it with its address.
    pub(super) async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Arc::new(Self::default());
        let own = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move { own.serve(stream).await });
            }
        });
        (server, address)
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut mail = Accepted { from: String::new(), to: String::new(), login: None, data: String::new() };
        write.write_all(b"220 mail.example ESMTP\r\n").await.ok()?;
        while let Some(line) = lines.next_line().await.ok()? {
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => "250-mail.example\r\n250 AUTH PLAIN".to_owned(),
                "AUTH" => {
                    mail.login = Some(line.rsplit(' ').next().unwrap().to_owned());
                    "235 welcome".into()
                }
                "MAIL" => {
                    mail.from = line;
                    "250 ok".into()
                }
                "RCPT" => {
                    mail.to = line;
                    "250 ok".into()
                }
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await.ok()?;
                    while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                        mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                        mail.data.push('\n');
                    }
                    let refusal = self.refuses.lock().unwrap().clone();
                    if refusal.is_none() {
                        self.accepted.lock().unwrap().push(mail.clone());
                    }
                    refusal.unwrap_or_else(|| "250 accepted".into())
                }
                "QUIT" => {
                    write.write_all(b"221 bye\r\n").await.ok()?;
                    return None;
                }
                _ => "250 ok".into(),
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
        None
    }
}
