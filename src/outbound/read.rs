//! Reads a file from an address.

use reqwest::{Client, Url};

use super::call::reason;
use super::destination::{PATIENCE, check_literal};

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// Reads a text of up to `most` bytes. Every address on the way is checked.
///
/// # Errors
/// Why it could not be read.
pub async fn read(client: &Client, address: &str, most: usize, private: bool) -> Result<String, String> {
    let work = async {
        let mut address = Url::parse(address).map_err(|_| "is not a valid URL".to_owned())?;
        for _ in 0..=REDIRECTS {
            check_literal(address.as_str(), private)?;
            let response = client.get(address.clone()).send().await.map_err(|error| reason(&error))?;
            let status = response.status();
            if status.is_redirection() {
                address = next(&response, &address)?;
            } else if status.is_success() {
                return content(response, most).await;
            } else {
                return Err(format!("the answer has status {}", status.as_u16()));
            }
        }
        Err(format!("there are more than {REDIRECTS} redirects"))
    };
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err("the request timed out".into()))
}

/// Where a redirect leads.
fn next(response: &reqwest::Response, from: &Url) -> Result<Url, String> {
    let wrong = || format!("the answer has status {} without a usable address", response.status().as_u16());
    let location = response.headers().get("location").and_then(|value| value.to_str().ok()).ok_or_else(wrong)?;
    let to = from.join(location).map_err(|_| wrong())?;
    let known = to.scheme() == "https" || (to.scheme() == "http" && from.scheme() == "http");
    if known { Ok(to) } else { Err(wrong()) }
}

async fn content(mut response: reqwest::Response, most: usize) -> Result<String, String> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| reason(&error))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > most {
            return Err(format!("the answer has more than {most} bytes"));
        }
    }
    String::from_utf8(bytes).map_err(|_| "the answer is not text in UTF-8".into())
}
