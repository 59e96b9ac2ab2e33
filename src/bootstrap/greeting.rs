//! What the server prints when it starts.

use super::demo::Demo;
use super::first::FirstOrganization;

/// What the server prints when it starts.
#[must_use]
pub fn greeting(address: std::net::SocketAddr, first: Option<&FirstOrganization>, demo: Option<&Demo>) -> String {
    let url = format!("http://{address}");
    let mut lines = vec![format!("Windlass listens on {url} (API reference: {url}/docs)")];
    match first {
        Some(FirstOrganization { organization, token }) => {
            lines.push(format!("Created the organization {} ({}).", organization.name, organization.id));
            lines.push("Its API token, shown this once:".into());
            lines.push(String::new());
            lines.push(format!("  export TOKEN={}", token.expose()));
        }
        None => lines.push("For another API token: windlass token create --name NAME".into()),
    }
    if let Some(Demo { environment, cron, lifecycle }) = demo {
        let get = |path: String| format!("  curl -sH \"Authorization: Token $TOKEN\" {url}{path}");
        lines.push(String::new());
        lines.push("Try, in another terminal, after the export above:".into());
        lines.push(String::new());
        lines.push("  # a CRON job that runs every minute, and a LIFECYCLE job that ran when it was deployed".into());
        lines.push(get(format!("/job/{cron}")));
        lines.push(get(format!("/job/{lifecycle}")));
        lines.push("  # when it runs next, what ran, and the log of the newest run".into());
        lines.push(get(format!("/job/{cron}/nextRun")));
        lines.push(get(format!("/job/{cron}/run")));
        let newest = format!(
            "$({} | grep -o '\"id\":\"[^\"]*' | head -n 1 | cut -d '\"' -f 4)",
            get(format!("/job/{lifecycle}/run")).trim()
        );
        lines.push(get(format!("/run/{newest}/log")));
        lines.push("  # why it did, or did not, run in this minute".into());
        lines.push(get(format!("/job/{cron}/explain")));
        lines.push("  # run it now, once as a deployment and once beside it, and see how everything is".into());
        lines.push(format!(
            "  curl -sXPOST -H \"Authorization: Token $TOKEN\" \"{url}/job/{cron}/deploy?forceEvent=CRON\""
        ));
        lines.push(format!("  curl -sXPOST -H \"Authorization: Token $TOKEN\" -d '{{}}' {url}/job/{cron}/run"));
        lines.push(get(format!("/environment/{environment}/statuses")));
        lines.push(
            "  # the second face: what Terraform workspaces are run with (a whole run: docs/clients/terrakube.md)"
                .into(),
        );
        lines.push(get("/api/v1/template".into()));
    }
    lines.push(String::new());
    lines.join("\n")
}
