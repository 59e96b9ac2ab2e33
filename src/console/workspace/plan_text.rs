//! Pure: finds the plan in the log of a step, and divides it into the resources that it changes.
//!
//! The tool writes what it will do, why, and hides sensitive values itself.

/// How a line or a resource changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Add,
    Change,
    Destroy,
    /// Destroyed and created again.
    Replace,
    Read,
    None,
}

impl Sign {
    /// The class of its color.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Add => "ok",
            Self::Change => "running",
            Self::Destroy | Self::Replace => "failed",
            Self::Read => "queued",
            Self::None => "",
        }
    }

    /// The word for it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Destroy => "destroy",
            Self::Replace => "replace",
            Self::Read => "read",
            Self::None => "",
        }
    }

    /// Of a line of the plan.
    pub(super) fn of_line(line: &str) -> Self {
        let text = line.trim_start();
        if text.starts_with("-/+ ") || text.starts_with("+/- ") {
            Self::Replace
        } else if text.starts_with("+ ") {
            Self::Add
        } else if text.starts_with("- ") {
            Self::Destroy
        } else if text.starts_with("~ ") {
            Self::Change
        } else if text.starts_with("<= ") {
            Self::Read
        } else {
            Self::None
        }
    }

    /// Of the sentence above a resource.
    fn of_title(title: &str) -> Self {
        let has = |words: &str| title.contains(words);
        if has(" replaced") {
            Self::Replace
        } else if has(" will be created") || has(" will be imported") {
            Self::Add
        } else if has(" will be destroyed") || has(" will no longer be managed") {
            Self::Destroy
        } else if has(" will be updated") || has(" has moved") {
            Self::Change
        } else if has(" will be read") {
            Self::Read
        } else {
            Self::None
        }
    }
}

/// A resource of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlanBlock {
    pub(super) sign: Sign,
    /// What happens to it, in the words of the tool.
    pub(super) title: String,
    pub(super) lines: Vec<String>,
}

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PlanText {
    /// How much is added, changed and destroyed, in the words of the tool.
    pub(super) summary: Option<String>,
    pub(super) blocks: Vec<PlanBlock>,
}

/// Whether a line is of what follows the plan, which a step that destroys does at once.
fn is_past(plan: &PlanText, line: &str) -> bool {
    plan.summary.is_some() && line.starts_with(|letter: char| !letter.is_whitespace())
}

/// Reads the plan from the lines of a log; none if there is no plan in them.
pub(super) fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Option<PlanText> {
    let (mut plan, mut is_inside) = (PlanText::default(), false);
    for line in lines {
        let text = line.trim();
        if text.ends_with("will perform the following actions:") {
            (plan, is_inside) = (PlanText::default(), true);
        } else if text.starts_with("No changes.") {
            plan = PlanText { summary: Some(text.to_owned()), blocks: Vec::new() };
            is_inside = false;
        } else if is_inside && text.starts_with("Plan: ") {
            plan.summary = Some(text.trim_start_matches("Plan: ").to_owned());
        } else if text == "Changes to Outputs:" {
            is_inside = true;
            let block = PlanBlock { sign: Sign::None, title: "Outputs".to_owned(), lines: Vec::new() };
            plan.blocks.push(block);
        } else if is_inside && plan.summary.is_none() && text.starts_with("# ") && Sign::of_title(text) != Sign::None {
            let title = text.trim_start_matches("# ").to_owned();
            plan.blocks.push(PlanBlock { sign: Sign::of_title(text), title, lines: Vec::new() });
        } else if is_inside && (text.starts_with('\u{2500}') || is_past(&plan, line)) {
            is_inside = false;
        } else if let Some(block) = plan.blocks.last_mut().filter(|_| is_inside) {
            block.lines.push(line.to_owned());
        }
    }
    for block in &mut plan.blocks {
        while block.lines.last().is_some_and(|line| line.trim().is_empty()) {
            block.lines.pop();
        }
    }
    (plan.summary.is_some() || !plan.blocks.is_empty()).then_some(plan)
}

#[cfg(test)]
mod tests {
    use super::{Sign, read};

    const LOG: &str = "\
Initializing the backend...
OpenTofu used the selected providers to generate the following execution plan.
OpenTofu will perform the following actions:

  # terraform_data.a will be created
  + resource \"terraform_data\" \"a\" {
      + id    = (known after apply)
      + input = (sensitive value)
    }

  # terraform_data.b must be replaced
-/+ resource \"terraform_data\" \"b\" {
      ~ id               = \"1\" -> (known after apply)
      ~ triggers_replace = \"x\" -> \"y\" # forces replacement
    }

  # terraform_data.c will be destroyed
  # (because terraform_data.c is not in configuration)
  - resource \"terraform_data\" \"c\" {
      - id = \"2\" -> null
    }

Plan: 2 to add, 0 to change, 2 to destroy.

Changes to Outputs:
  + name = \"n\"
\u{2500}\u{2500}\u{2500}
Saved the plan to: windlass.plan";

    #[test]
    fn the_resources_of_a_plan() {
        let plan = read(LOG.lines()).unwrap();
        assert_eq!(plan.summary.as_deref(), Some("2 to add, 0 to change, 2 to destroy."));
        let signs: Vec<_> = plan.blocks.iter().map(|block| (block.sign, block.lines.len())).collect();
        assert_eq!(signs, [(Sign::Add, 4), (Sign::Replace, 4), (Sign::Destroy, 4), (Sign::None, 1)]);
        assert_eq!(plan.blocks[1].title, "terraform_data.b must be replaced");
        assert!(plan.blocks[2].lines[0].contains("because terraform_data.c is not in configuration"));
        assert_eq!(plan.blocks[3].lines, ["  + name = \"n\""]);
    }

    #[test]
    fn what_follows_a_plan_is_no_part_of_it() {
        let log = "\
OpenTofu will perform the following actions:
  # terraform_data.c will be destroyed
  - resource \"terraform_data\" \"c\" {
    }

Plan: 0 to add, 0 to change, 1 to destroy.

Changes to Outputs:
  - name = \"n\" -> null
terraform_data.c: Destroying... [id=2]

Destroy complete! Resources: 1 destroyed.";
        let plan = read(log.lines()).unwrap();
        assert_eq!(plan.summary.as_deref(), Some("0 to add, 0 to change, 1 to destroy."));
        let lines: Vec<_> = plan.blocks.iter().map(|block| block.lines.len()).collect();
        assert_eq!(lines, [2, 1], "{plan:?}");
    }

    #[test]
    fn logs_without_a_plan() {
        assert_eq!(read("Initializing\n# a comment will be created\n+ x".lines()), None);
        let plan = read("No changes. Your infrastructure matches the configuration.\nrest".lines()).unwrap();
        assert!(plan.blocks.is_empty() && plan.summary.unwrap().starts_with("No changes."));
    }

    #[test]
    fn signs_of_lines() {
        for (line, sign) in [
            ("  + a = 1", Sign::Add),
            ("      - a = 1 -> null", Sign::Destroy),
            ("~ a = 1 -> 2", Sign::Change),
            ("-/+ resource", Sign::Replace),
            ("+/- resource", Sign::Replace),
            (" <= data", Sign::Read),
            ("    }", Sign::None),
            ("  -1", Sign::None),
        ] {
            assert_eq!(Sign::of_line(line), sign, "{line}");
        }
    }
}
