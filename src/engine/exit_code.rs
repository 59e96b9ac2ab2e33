//! Pure: what exit codes mean, by the conventions of shells and container engines.

/// What an exit code usually means, in words; none for codes that are a program's own.
#[must_use]
pub fn meaning(code: i32) -> Option<String> {
    let text = match code {
        0 => "success",
        1 => "general error of the program",
        2 => "wrong use of the command or of a shell builtin",
        125 => "the container engine could not start the container",
        126 => "the command was found but cannot be executed: it has no execute permission, or is no program",
        127 => "the command was not found",
        128 => "the program ended with an invalid exit code",
        130 => "interrupted (SIGINT)",
        134 => "aborted by itself (SIGABRT)",
        135 => "bus error (SIGBUS)",
        136 => "arithmetic error (SIGFPE)",
        137 => "killed (SIGKILL): stopped by force, or out of memory",
        139 => "invalid memory access (SIGSEGV)",
        141 => "wrote into a closed pipe (SIGPIPE)",
        143 => "terminated (SIGTERM)",
        129..=192 => return Some(format!("ended by signal {}", code - 128)),
        255 => "the program ended with a code outside 0 to 255, such as -1",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::meaning;

    #[test]
    fn signals_and_shell_codes_are_explained() {
        for (code, part) in [
            (0, "success"),
            (126, "execute permission"),
            (127, "not found"),
            (137, "SIGKILL"),
            (143, "SIGTERM"),
            (159, "signal 31"),
        ] {
            assert!(meaning(code).is_some_and(|text| text.contains(part)), "{code}");
        }
        for own in [3, 42, 124, 193, 300, -1] {
            assert_eq!(meaning(own), None, "{own}");
        }
    }
}
