//! `windlass login` and `windlass context`: stored servers.

use std::io::{IsTerminal as _, Read as _};

use clap::{Args, Subcommand};

use crate::api::Api;
use crate::contexts::{self, Context, Contexts};
use crate::device::{Device, SignIn, Uses, issuer_of};
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::options::Options;
use crate::screen::{Cell, Screen, Tone};

#[derive(Args)]
pub(crate) struct Login {
    /// The name of the context.
    #[arg(long, default_value = "default")]
    name: String,
    /// Sign in as a person, at the OIDC issuer of the server: confirm a code in any browser.
    #[arg(long)]
    device: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List stored servers.
    List,
    /// Choose the one that commands use.
    Use { name: String },
    /// Forget one.
    Delete { name: String },
}

/// Checks a token, and stores it with the address of its server.
pub(crate) async fn login(options: &Options, Login { name, device }: Login, screen: &mut Screen) -> Result<()> {
    let url = contexts::new_url(options);
    let organization = options.organization.clone();
    let (token, sign_in) = if device {
        let (token, sign_in) = sign_in(&url, screen).await?;
        (token, Some(sign_in))
    } else {
        match &options.token {
            Some(token) => (token.clone(), None),
            None => (read_token()?, None),
        }
    };
    // Nothing is stored that does not work. A person who has just signed in for the first time belongs to no organization.
    let found = Place::find((Api::new(&url, token.clone())?, organization.clone())).await;
    if !device || organization.is_some() {
        found?;
    }
    let mut stored = Contexts::read(options)?;
    stored.contexts.insert(name.clone(), Context { url: url.clone(), token, organization, sign_in });
    stored.current = Some(name.clone());
    stored.write(options)?;
    screen.say(&format!("signed in to {url}; later commands use the context {name}"));
    Ok(())
}

/// Signs a person in at the issuer of a server.
async fn sign_in(url: &str, screen: &mut Screen) -> Result<(String, SignIn)> {
    let issuer = issuer_of(url).await?;
    let device = Device::new()?;
    let endpoints = device.endpoints(&issuer.issuer).await?;
    let code = device.code(&issuer, &endpoints).await?;
    let (code_text, address) = (&code.user_code, &code.verification_uri);
    let mut text = format!("open {address} and enter the code {code_text}\n");
    if let Some(complete) = &code.verification_uri_complete {
        text.push_str(&format!("or open {complete}\n"));
    }
    screen.pass(text.as_bytes())?;
    let tokens = device.tokens(&issuer, &endpoints, &code).await?;
    let now = crate::times::now();
    for uses in [Uses::AccessToken, Uses::IdToken] {
        let Some(token) = tokens.get(uses) else { continue };
        match Api::new(url, token.to_owned())?.get("/organization", &[]).await {
            Err(Failure::NotSignedIn(_)) => continue,
            found => found?,
        };
        let (token, expires_at) = (token.to_owned(), tokens.end(uses, now));
        let sign_in = SignIn {
            token_endpoint: endpoints.token_endpoint.clone(),
            client_id: issuer.client_id.clone(),
            uses,
            refresh_token: tokens.refresh_token,
            expires_at,
        };
        return Ok((token, sign_in));
    }
    Err(Failure::NotSignedIn(format!(
        "the server does not accept the tokens of {}: let the client {} request the audience {}",
        issuer.issuer, issuer.client_id, issuer.audience
    )))
}

/// A token from standard input, so that it is in no history of a shell.
fn read_token() -> Result<String> {
    if std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "give the token by WINDLASS_TOKEN or on standard input, such as `windlass login < token`".into(),
        ));
    }
    let mut text = String::new();
    let read = std::io::stdin().take(64 * 1024).read_to_string(&mut text);
    read.map_err(|error| Failure::Refused(format!("standard input cannot be read: {error}")))?;
    Ok(text.trim().to_owned())
}

pub(crate) fn run(options: &Options, command: Command, screen: &mut Screen) -> Result<()> {
    let mut stored = Contexts::read(options)?;
    let unknown = |name: &str| Failure::NotFound(format!("there is no context {name}"));
    match command {
        Command::List => {
            if screen.is_raw() {
                let named = stored.contexts.iter().map(|(name, context)| {
                    serde_json::json!({ "name": name, "url": context.url, "organization": context.organization, "current": stored.current.as_ref() == Some(name) })
                });
                return screen.raw(&serde_json::json!({ "results": named.collect::<Vec<_>>() }));
            }
            let cells = stored.contexts.iter().map(|(name, context)| {
                let used = if stored.current.as_ref() == Some(name) { "in use" } else { "" };
                vec![
                    name.as_str().into(),
                    context.url.as_str().into(),
                    context.organization.clone().unwrap_or_default().into(),
                    Cell::new(used, Tone::Good),
                ]
            });
            let cells: Vec<Vec<Cell>> = cells.collect();
            screen.table(&["context", "server", "organization", ""], &cells);
            return Ok(());
        }
        Command::Use { name } => {
            if !stored.contexts.contains_key(&name) {
                return Err(unknown(&name));
            }
            screen.say(&format!("later commands use the context {name}"));
            stored.current = Some(name);
        }
        Command::Delete { name } => {
            stored.contexts.remove(&name).ok_or_else(|| unknown(&name))?;
            stored.current = stored.current.filter(|current| *current != name);
            screen.say(&format!("the context {name} is forgotten"));
        }
    }
    stored.write(options)
}
