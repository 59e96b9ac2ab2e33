//! Sends mail. The server is reached at an address that was checked, and its certificate is checked for its name.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use entity::alert_receiver::MailSettings;
use lettre::Message as Mail;
use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::Error as Failure;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::Instant;

use super::compose::{Message, cut};
use super::refused::Refused;
use super::sealed_address::Address;
use crate::outbound::address::is_public;
use crate::secret::Origin;

/// The port whose connections are encrypted from the start.
const TLS_PORT: u16 = 465;
/// How long a connection or a name may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server may take until it asks for the data. Some let those wait whom they do not know.
const TALK: Duration = Duration::from_mins(5);
/// How long the end of a connection may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// The longest subject, in bytes.
const SUBJECT: usize = 200;

/// The host and the port of a smarthost; none if one of them is missing.
#[must_use]
pub fn smarthost_origin(smarthost: &str) -> Option<Origin> {
    let (_, port) = smarthost.rsplit_once(':')?;
    let is_plain = !smarthost.contains(['/', '@', '?', '#']) && port.parse::<u16>().is_ok();
    Origin::of(&format!("https://{smarthost}")).filter(|_| is_plain)
}

/// Whether mail can be sent to or from it.
#[must_use]
pub fn is_mail_address(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// Sends a message within a time; it is sent when the server has confirmed the end of the data.
pub(super) async fn send(
    settings: &MailSettings,
    address: &Address,
    message: &Message,
    (private, patience): (bool, Duration),
) -> Result<(), Refused> {
    let until = Instant::now() + patience;
    let mail = mail(settings, message).map_err(Refused::Always)?;
    let Some(origin) = smarthost_origin(&settings.smarthost) else {
        return Err(Refused::Always("the smarthost is not a host and a port".into()));
    };
    let data = mail.formatted();
    let talk = async {
        let mut connection = connect(settings, address, origin, private).await?;
        announce(&mut connection, mail.envelope(), &data).await?;
        Ok::<_, Refused>(connection)
    };
    let asked = tokio::time::timeout(TALK.min(patience), talk).await;
    let mut connection = asked.unwrap_or_else(|_| Err(Refused::Now("the mail server took too long".into())))?;
    match tokio::time::timeout_at(until, connection.message(&data)).await {
        Ok(Ok(_)) => {
            // The mail is accepted, whatever becomes of the connection.
            let _bye = tokio::time::timeout(FAREWELL, connection.quit()).await;
            Ok(())
        }
        Ok(Err(error)) => Err(refused(&error)),
        Err(_) => Err(Refused::Unsure("the mail server has not said in time whether it accepts the message".into())),
    }
}

/// A connection on which mail may be sent.
async fn connect(
    settings: &MailSettings,
    address: &Address,
    Origin { host, port, .. }: Origin,
    private: bool,
) -> Result<AsyncSmtpConnection, Refused> {
    let to = resolve(&host, port, private).await?;
    let tls = TlsParameters::new(host).map_err(|error| Refused::Always(format!("TLS: {error}")))?;
    let name = ClientId::default();
    let from_the_start = (port == TLS_PORT).then(|| tls.clone());
    let connected = AsyncSmtpConnection::connect_tokio1(to, Some(PATIENCE), &name, from_the_start, None).await;
    let mut connection = connected.map_err(|error| refused(&error))?;
    if port != TLS_PORT && (settings.require_tls || connection.can_starttls()) {
        connection.starttls(tls, &name).await.map_err(|error| refused(&error))?;
    }
    if let (Some(user), Some(password)) = (&settings.username, &address.secret) {
        let credentials = Credentials::new(user.clone(), password.clone());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| refused(&error))?;
    }
    Ok(connection)
}

/// Says whose mail follows, until the server asks for its data.
async fn announce(connection: &mut AsyncSmtpConnection, envelope: &Envelope, data: &[u8]) -> Result<(), Refused> {
    let mut parameters = Vec::new();
    if envelope.from().into_iter().chain(envelope.to()).any(|address| !address.to_string().is_ascii()) {
        require(connection, Extension::SmtpUtfEight, "SMTPUTF8, for addresses beyond ASCII")?;
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !data.is_ascii() {
        require(connection, Extension::EightBitMime, "8BITMIME, for texts beyond ASCII")?;
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    command(connection, MailFrom::new(envelope.from().cloned(), parameters)).await?;
    for recipient in envelope.to() {
        command(connection, Rcpt::new(recipient.clone(), Vec::new())).await?;
    }
    command(connection, Data).await
}

fn require(connection: &AsyncSmtpConnection, extension: Extension, name: &str) -> Result<(), Refused> {
    let is_there = connection.server_info().supports_feature(extension);
    if is_there { Ok(()) } else { Err(Refused::Now(format!("the mail server does not support {name}"))) }
}

async fn command(connection: &mut AsyncSmtpConnection, command: impl Display) -> Result<(), Refused> {
    connection.command(command).await.map(drop).map_err(|error| refused(&error))
}

/// An address of a host that may be called.
async fn resolve(host: &str, port: u16, private: bool) -> Result<SocketAddr, Refused> {
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, port))).await;
    let Ok(Ok(found)) = found else { return Err(Refused::Now("the name of the mail server was not resolved".into())) };
    let mut allowed = found.filter(|address| private || is_public(address.ip()));
    allowed.next().ok_or_else(|| {
        let why = "the mail server resolves to a loopback, private, link-local or other special address, which is not allowed";
        Refused::Always(why.into())
    })
}

fn mail(settings: &MailSettings, message: &Message) -> Result<Mail, String> {
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| format!("the address {text}: {error}"));
    // A header of several lines would be a header injection.
    let subject: String = message.title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Mail::builder()
        .from(mailbox(&settings.from)?)
        .to(mailbox(&settings.to)?)
        .subject(cut(&subject, SUBJECT))
        // The same for every attempt, so that a mail server can tell that it is the same.
        .message_id(Some(format!("<{}@windlass>", message.id)))
        .header(ContentType::TEXT_PLAIN)
        .body(message.body().replace("\r\n", "\n").replace('\n', "\r\n"))
        .map_err(|error| error.to_string())
}

fn refused(error: &Failure) -> Refused {
    let reason = reason(error);
    if error.is_permanent() { Refused::Always(reason) } else { Refused::Now(reason) }
}

/// What the server answered, without the addresses of our side.
fn reason(error: &Failure) -> String {
    use std::error::Error as _;
    let mut text = error.to_string();
    if let Some(source) = error.source() {
        let source = source.to_string();
        if !text.contains(&source) {
            text = format!("{text}: {source}");
        }
    }
    format!("the mail server did not accept the message: {}", cut(&text, 500))
}

#[cfg(test)]
mod tests {
    use super::smarthost_origin;

    #[test]
    fn a_smarthost_has_a_host_and_a_port() {
        let found = |text: &str| smarthost_origin(text).map(|origin| format!("{} {}", origin.host, origin.port));
        assert_eq!(found("smtp.example.com:587").as_deref(), Some("smtp.example.com 587"));
        assert_eq!(found("[::1]:25").as_deref(), Some("::1 25"));
        for wrong in
            ["smtp.example.com", "smtp.example.com:", ":25", "a:b", "https://a:1", "user@host:25", "a:1/b", "a b:25"]
        {
            assert_eq!(found(wrong), None, "{wrong}");
        }
    }
}
