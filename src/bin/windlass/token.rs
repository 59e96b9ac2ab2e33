//! `windlass token`: create, list and revoke API tokens in the database, with or without a running server.

use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueEnum};
use entity::id::{PersonId, TokenId};
use entity::member::Role;
use entity::{api_token, organization};
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use uuid::Uuid;
use windlass::clock::Clock;
use windlass::config::Config;
use windlass::error::{Error, Result};
use windlass::{bootstrap, server, store};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create a token and print it; it is not shown again.
    Create {
        /// Name of the token, such as its purpose.
        #[arg(long)]
        name: String,
        /// Name or id of the organization; optional if there is only one.
        #[arg(long)]
        organization: Option<String>,
        /// Role of the token.
        #[arg(long, value_enum, default_value = "admin")]
        role: RoleName,
    },
    /// List the tokens of an organization, without their secrets.
    List {
        /// Name or id of the organization; optional if there is only one.
        #[arg(long)]
        organization: Option<String>,
    },
    /// Revoke a token.
    Revoke {
        /// Id of the token, as printed by `list`.
        id: Uuid,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RoleName {
    Admin,
    Devops,
    Billing,
    Viewer,
}

pub(crate) async fn run(config: Config, command: Command) -> Result<()> {
    let db = server::open_existing(&config).await?;
    match command {
        Command::Create { name, organization, role } => {
            let organization = find(&db, organization).await?;
            let role = match role {
                RoleName::Admin => Role::Admin,
                RoleName::Devops => Role::Devops,
                RoleName::Billing => Role::Billing,
                RoleName::Viewer => Role::Viewer,
            };
            let now = Clock::system().now();
            let (row, token) = bootstrap::new_api_token(organization.id, &name, role, now)?;
            let row = api_token::Model { expires_at: config.token_end(now), ..row };
            store::write(&db, async |tx| {
                let person_id = behind(tx, &row, now).await?;
                Ok::<_, Error>(store::token::create(tx, api_token::Model { person_id, ..row }).await?)
            })
            .await?;
            println!("{}", token.expose());
        }
        Command::List { organization } => {
            let organization = find(&db, organization).await?;
            for row in store::token::list_by_organization(&db, organization.id).await? {
                let day = |at: Option<DateTime<Utc>>| at.map_or("never".into(), |at| at.format("%Y-%m-%d").to_string());
                println!(
                    "{}  {:?}  created {}  expires {}  last used {}  {}",
                    row.id,
                    row.role,
                    row.created_at.format("%Y-%m-%d"),
                    day(row.expires_at),
                    day(row.last_used_at),
                    row.name
                );
            }
        }
        Command::Revoke { id } => {
            if !store::token::delete(&db, TokenId(id)).await? {
                return Err(Error::NotFound("API token"));
            }
        }
    }
    Ok(())
}

/// The first person is behind administrators' tokens of the first organization, until an owner is appointed.
async fn behind(tx: &DatabaseTransaction, row: &api_token::Model, now: DateTime<Utc>) -> Result<Option<PersonId>> {
    let of = row.organization_id;
    let is_first = row.role == Role::Admin && store::organization::first(tx).await? == Some(of);
    if !is_first || store::organization::owner(tx, of).await?.is_some() {
        return Ok(None);
    }
    Ok(Some(bootstrap::first_person(tx, of, now).await?))
}

async fn find(db: &DatabaseConnection, wanted: Option<String>) -> Result<organization::Model> {
    let mut rows = store::organization::list(db).await?;
    match wanted {
        Some(wanted) => {
            let matches = |row: &organization::Model| row.name == wanted || row.id.to_string() == wanted;
            rows.into_iter().find(matches).ok_or(Error::NotFound("organization"))
        }
        None if rows.len() > 1 => Err(Error::invalid("--organization", "is required: there are several organizations")),
        None => rows.pop().ok_or(Error::NotFound("organization (start the server once)")),
    }
}
