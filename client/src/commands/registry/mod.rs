//! `windlass registry`: the private registry of an organization, with its modules, providers and signing keys.

mod modules;
mod provider_file;
mod providers;
mod signing_keys;

use clap::Subcommand;

use crate::failure::Result;
use crate::names::Place;
use crate::screen::Screen;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List, add, refresh and delete modules, whose versions are the tags of repositories.
    #[command(subcommand)]
    Module(modules::Command),
    /// List and upload providers, of the organization or of other registries.
    #[command(subcommand)]
    Provider(providers::Command),
    /// List, add and delete the public keys that sign providers.
    #[command(subcommand)]
    Key(signing_keys::Command),
}

pub(crate) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::Module(command) => modules::run(place, command, screen).await,
        Command::Provider(command) => providers::run(place, command, screen).await,
        Command::Key(command) => signing_keys::run(place, command, screen).await,
    }
}
