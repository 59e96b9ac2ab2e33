//! The command-line client. It speaks the public API over HTTP, and links nothing of the server.
//!
//! A command parses its words, finds what a name means (`names`), calls the API (`api`), and writes to one place (`screen`), which
//! knows whether a person or a script reads.

mod api;
mod commands;
mod contexts;
mod device;
mod failure;
mod names;
mod options;
mod rows;
mod screen;
mod times;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};

use self::commands::Command;
use self::failure::Failure;
use self::options::Options;
use self::screen::Screen;

/// A self-hosted control plane for jobs: the client.
#[derive(Parser)]
#[command(name = "windlass", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// Written for scripts, and tested; they do not change.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 refused or not reachable, 2 wrong usage, 3 not found, 4 not signed in, \
                          5 the run or deployment that was watched did not succeed";

/// The commands of the client with what they do, for the help of the program.
#[must_use]
pub fn commands() -> Vec<(String, String)> {
    let command = Arguments::command();
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown
        .map(|command| {
            (command.get_name().to_owned(), command.get_about().map(ToString::to_string).unwrap_or_default())
        })
        .collect()
}

/// Whether these words, the first of which is the program, are a command of the client.
#[must_use]
pub fn is_meant(words: &[OsString]) -> bool {
    let command = Arguments::command();
    let takes_value = |word: &str| {
        let names = command.get_arguments().flat_map(|argument| {
            let long = argument.get_long().map(|name| format!("--{name}"));
            let short = argument.get_short().map(|name| format!("-{name}"));
            [long, short].into_iter().flatten()
        });
        names.into_iter().any(|name| name == word)
    };
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if word == "help" {
            continue;
        }
        if takes_value(&word) {
            words.next();
        } else if !word.starts_with('-') {
            return command.get_subcommands().any(|command| command.get_name() == word);
        }
    }
    false
}

/// The command line of the whole program, for completions: its settings belong to the commands of the server alone.
fn whole(server: &clap::Command) -> clap::Command {
    let settings: Vec<_> = server.get_arguments().cloned().collect();
    let of_server = server.get_subcommands().map(|command| command.clone().args(settings.clone()));
    Arguments::command().subcommands(of_server)
}

/// Writes a manual page for each command of the program, and one that lists them.
fn write_pages(server: &clap::Command, folder: &Path) -> std::io::Result<()> {
    for part in [server.clone(), Arguments::command()] {
        clap_mangen::generate_to(part, folder)?;
    }
    // Both have written a page of the program, which lists their own commands.
    let mut program = Arguments::command().about("A self-hosted control plane for jobs").disable_help_subcommand(true);
    program = program.subcommands(server.get_subcommands().cloned());
    program.build();
    clap_mangen::Man::new(program).generate_to(folder)?;
    Ok(())
}

/// Runs a command of the client. The commands of the server are named in completions and manual pages.
pub async fn run(words: Vec<OsString>, server: &clap::Command) -> ExitCode {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let Arguments { options, command } = arguments;
    let mut screen = Screen::new(options.output, options.no_color.as_deref());
    let done = match command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut whole(server), "windlass", &mut script);
            screen.pass(&script)
        }
        Command::Man { folder } => {
            write_pages(server, &folder).map_err(|error| Failure::Refused(format!("{}: {error}", folder.display())))
        }
        command => commands::run(&options, command, &mut screen).await,
    };
    let written = screen.flush();
    match done.and(written) {
        // Whoever reads has seen enough.
        Ok(()) | Err(Failure::Closed) => ExitCode::SUCCESS,
        // The command has said itself what was wrong.
        Err(Failure::Exited(code)) => ExitCode::from(code),
        Err(failure) => {
            // There is nobody to tell if that fails.
            let _told = writeln!(std::io::stderr(), "windlass: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{Arguments, is_meant};
    use clap::CommandFactory as _;

    fn meant(text: &str) -> bool {
        is_meant(&text.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    /// An argument of a command with the name of a flag of all commands would be read as that flag.
    #[test]
    fn no_argument_hides_a_shared_flag() {
        fn check(command: &clap::Command, shared: &[String]) {
            for of in command.get_subcommands() {
                let own = of.get_arguments().map(|argument| argument.get_id().to_string());
                let hidden: Vec<String> = own.filter(|id| shared.contains(id)).collect();
                assert!(hidden.is_empty(), "{}: {hidden:?}", of.get_name());
                check(of, shared);
            }
        }
        let command = Arguments::command();
        let shared: Vec<String> = command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
        assert!(shared.contains(&"token".to_owned()), "{shared:?}");
        check(&command, &shared);
    }

    #[test]
    fn commands_of_the_server_are_left_to_it() {
        for server in [
            "windlass",
            "windlass serve --demo",
            "windlass --listen 127.0.0.1:0 serve",
            "windlass token list",
            "windlass --help",
        ] {
            assert!(!meant(server), "{server}");
        }
        for client in
            ["windlass status", "windlass --url http://x status", "windlass -o json job list", "windlass help job"]
        {
            assert!(meant(client), "{client}");
        }
    }
}
