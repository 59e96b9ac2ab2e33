//! Pure: the names of the dialects that are known.

/// Every dialect that `translate` knows.
pub const DIALECTS: [&str; 48] = [
    "apscheduler",
    "aws-js",
    "aws-pyawscron",
    "bcron",
    "busybox",
    "busybox-crond",
    "celery",
    "cron-converter",
    "cron-utils-quartz",
    "cron-utils-unix",
    "cronie",
    "croniter",
    "cronsim",
    "dcron",
    "dkron",
    "eventbridge",
    "fcron",
    "fugit",
    "github",
    "go-quartz",
    "gronx",
    "jenkins",
    "js-cron",
    "js-cron-parser",
    "js-cron-schedule",
    "js-croner",
    "js-cronosjs",
    "js-node-cron",
    "kubernetes",
    "mcron",
    "netresearch-go-cron",
    "nomad",
    "nomad-cronexpr",
    "php",
    "php-cron-expression",
    "quartz",
    "quartz-2.5.0",
    "robfig",
    "rust-cron",
    "rust-cron-parser",
    "rust-croner",
    "rust-cronexpr",
    "saffron",
    "spring",
    "systemd",
    "temporal",
    "vixie",
    "vixie-cron",
];

#[cfg(test)]
mod tests {
    use super::DIALECTS;
    use crate::translate::translate;
    use crate::translation::Given;

    #[test]
    fn every_name_is_known_to_the_translation() {
        assert!(DIALECTS.is_sorted());
        for dialect in DIALECTS {
            let given = Given { dialect, expression: "wrong", zone: "UTC", ..Given::default() };
            let refusal = translate(&given).unwrap_err();
            assert!(!refusal.why.contains("dialect is not known"), "{dialect}: {refusal}");
        }
    }
}
