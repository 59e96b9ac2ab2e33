//! Sends mail. The server is reached at an address that was checked, and its certificate is checked for its name.

use std::net::SocketAddr;
use std::time::Duration;

use entity::alert_receiver::MailSettings;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor};

use super::compose::{Message, cut};
use super::refused::Refused;
use super::sealed_address::Address;
use crate::outbound::address::is_public;
use crate::secret::Origin;

/// The port whose connections are encrypted from the start.
const TLS_PORT: u16 = 465;
/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a message may take.
const WHOLE: Duration = Duration::from_secs(40);
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

/// Sends a message; it is sent when the server has confirmed the end of the data.
pub(super) async fn send(
    settings: &MailSettings,
    address: &Address,
    message: &Message,
    private: bool,
) -> Result<(), Refused> {
    let mail = mail(settings, message).map_err(Refused::Always)?;
    let Some(Origin { host, port, .. }) = smarthost_origin(&settings.smarthost) else {
        return Err(Refused::Always("the smarthost is not a host and a port".into()));
    };
    let to = resolve(&host, port, private).await?;
    let parameters = TlsParameters::new(host).map_err(|error| Refused::Always(format!("TLS: {error}")))?;
    let tls = match (port, settings.require_tls) {
        (TLS_PORT, _) => Tls::Wrapper(parameters),
        (_, true) => Tls::Required(parameters),
        (_, false) => Tls::Opportunistic(parameters),
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(to.ip().to_string())
        .port(port)
        .tls(tls)
        .timeout(Some(PATIENCE));
    if let (Some(user), Some(password)) = (&settings.username, &address.secret) {
        transport = transport.credentials(Credentials::new(user.clone(), password.clone()));
    }
    match tokio::time::timeout(WHOLE, transport.build().send(mail)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if error.is_permanent() => Err(Refused::Always(reason(&error))),
        Ok(Err(error)) => Err(Refused::Now(reason(&error))),
        Err(_) => Err(Refused::Now("the mail server took too long".into())),
    }
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

/// What the server answered, without the addresses of our side.
fn reason(error: &lettre::transport::smtp::Error) -> String {
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
