//! The text that the server prints at startup.

use super::demo::Demo;
use super::first::FirstOrganization;

/// The text that the server prints at startup. `program` is how a user of this machine calls this program.
#[must_use]
pub fn greeting(
    (program, url): (&str, &str),
    link: Option<&str>,
    first: Option<&FirstOrganization>,
    demo: Option<&Demo>,
) -> String {
    let mut lines = vec![format!("Windlass is listening on {url} (API reference: {url}/docs)")];
    if let Some(link) = link {
        lines.push("Open the console, signed in (works once, within 24 hours):".into());
        lines.push(String::new());
        lines.push(format!("  {link}"));
        lines.push(String::new());
    }
    match first {
        Some(FirstOrganization { organization, token }) => {
            lines.push(format!("Created organization {} ({}).", organization.name, organization.id));
            lines.push("Its API token (shown only once):".into());
            lines.push(String::new());
            lines.push(format!("  export WINDLASS_URL={url}"));
            lines.push(format!("  export WINDLASS_TOKEN={}", token.expose()));
        }
        None => lines.push(format!("To create another API token: {program} token create --name NAME")),
    }
    if let Some(Demo { environment, cron, lifecycle }) = demo {
        let get = |path: String| format!("  curl -sH \"Authorization: Token $WINDLASS_TOKEN\" {url}{path}");
        lines.push(String::new());
        lines.push("In another terminal, run the exports above, then try:".into());
        lines.push(String::new());
        lines.push("  # what fails, what runs and what comes next".into());
        lines.push(format!("  {program} status"));
        lines.push("  # run a job now, and follow it to its end".into());
        lines.push(format!("  {program} job run {cron} --watch"));
        lines.push("  # why it did or did not run".into());
        lines.push(format!("  {program} job explain {cron}"));
        lines.push(String::new());
        lines.push("The same over HTTP:".into());
        lines.push(String::new());
        lines.push("  # a CRON job that runs every minute, and a LIFECYCLE job that ran on deployment".into());
        lines.push(get(format!("/job/{cron}")));
        lines.push(get(format!("/job/{lifecycle}")));
        lines.push("  # the next run, past runs, and the log of the newest run".into());
        lines.push(get(format!("/job/{cron}/nextRun")));
        lines.push(get(format!("/job/{cron}/run")));
        let newest = format!(
            "$({} | grep -o '\"id\":\"[^\"]*' | head -n 1 | cut -d '\"' -f 4)",
            get(format!("/job/{lifecycle}/run")).trim()
        );
        lines.push(get(format!("/run/{newest}/log")));
        lines.push("  # why the job did or did not run at a given time".into());
        lines.push(get(format!("/job/{cron}/explain")));
        lines.push("  # run the job now, by a deployment and directly, and show all statuses".into());
        lines.push(format!(
            "  curl -sXPOST -H \"Authorization: Token $WINDLASS_TOKEN\" \"{url}/job/{cron}/deploy?forceEvent=CRON\""
        ));
        lines
            .push(format!("  curl -sXPOST -H \"Authorization: Token $WINDLASS_TOKEN\" -d '{{}}' {url}/job/{cron}/run"));
        lines.push(get(format!("/environment/{environment}/statuses")));
        lines.push("  # the Terrakube-compatible API for Terraform workspaces (see docs/clients/terrakube.md)".into());
        lines.push(get("/api/v1/template".into()));
    }
    lines.push(String::new());
    lines.join("\n")
}
