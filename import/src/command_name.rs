//! Pure: a name for a job that has only a command.

/// Programs that start another one, which says more about the job.
const STARTERS: [&str; 24] = [
    "ash", "bash", "chronic", "cronic", "cd", "chrt", "dash", "env", "exec", "flock", "ionice", "ksh", "nice", "node",
    "nohup", "perl", "php", "python", "python3", "ruby", "setsid", "sh", "sudo", "timeout",
];

/// The longest name.
const LONGEST: usize = 60;

/// The first program of a command that does not only start another one.
pub(crate) fn command_name(command: &str) -> Option<String> {
    let words = command.split(|letter: char| letter.is_whitespace() || ";&|(){}'\"<>".contains(letter));
    let mut after_starter = "";
    for word in words.filter(|word| !word.is_empty()) {
        let base = word.trim_end_matches('/').rsplit('/').next().unwrap_or(word);
        let is_option = word.starts_with('-') || word.contains('=');
        let is_number =
            base.chars().all(|letter| letter.is_ascii_digit() || "smhd.".contains(letter)) && !base.is_empty();
        // The folder of cd, and the lock of flock, are no programs.
        let is_operand = after_starter == "cd" || after_starter == "flock";
        if STARTERS.contains(&base) {
            after_starter = base;
        } else if is_operand && !is_option {
            after_starter = "";
        } else if !is_option && !is_number && base.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
            return Some(base.chars().take(LONGEST).collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::command_name;

    #[test]
    fn names_are_those_of_programs() {
        for (command, name) in [
            ("/usr/local/bin/backup.sh --all", "backup.sh"),
            ("cd /srv/app && ./manage.py clear", "manage.py"),
            ("A=b FOO=1 /opt/report", "report"),
            ("flock -n /var/lock/x /usr/bin/sync-files", "sync-files"),
            ("nice -n 10 ionice -c 3 find /tmp -delete", "find"),
            ("timeout 30m /bin/bash -c 'pg_dump db | gzip'", "pg_dump"),
            ("[ -x /usr/bin/certbot ] && certbot renew", "certbot"),
            ("test -x /usr/sbin/anacron || run-parts /etc/cron.daily", "test"),
        ] {
            assert_eq!(command_name(command).as_deref(), Some(name), "{command}");
        }
        assert_eq!(command_name("- = ;"), None);
    }
}
