//! `windlass workspace state` and `drift`, against a real server and a real tool.

use super::Client;
use crate::terrakube::terraform::{APPLY, Site, tools};

#[tokio::test]
async fn states_are_listed_compared_rolled_back_and_imported() {
    let Some((tools, tool)) = tools().into_iter().next() else { return };
    let site = Site::with(tools, tool, &["--runner", "process"]).await;
    let client = Client { server: site.server(), home: site.folder() };
    let id = site.workspace(&[("who", "me", false)]).await;
    let name = id.as_str();
    let job = site.job(name, APPLY).await;
    site.until(&job, &["completed"]).await;
    let state = |words: &[&str]| client.prints(&[&["workspace", "state"][..], words].concat(), 0);
    assert!(
        state(&["resources", name])
            .starts_with("terraform_data.first\tterraform_data\tterraform.io/builtin/terraform\t-")
    );
    assert_eq!(state(&["show", name]), "who\tme-0\n");
    let file = site.folder().join("kept.tfstate");
    let path = file.to_str().unwrap();
    state(&["export", name, "--file", path]);
    assert!(client.fails(&["workspace", "state", "export", name, "--file", path], 2).contains("kept.tfstate"));
    // Somebody renames the resource in the file.
    let mut changed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let serial = changed["serial"].as_i64().unwrap();
    changed["serial"] = (serial + 1).into();
    changed["resources"][0]["name"] = "other".into();
    std::fs::write(&file, changed.to_string()).unwrap();
    let wrong = ["workspace", "state", "import", name, path, "--md5", "00000000000000000000000000000000"];
    assert!(client.fails(&wrong, 1).contains("MD5"));
    assert!(state(&["import", name, path, "--reason", "renamed"]).contains(&format!("serial {}", serial + 1)));
    let difference = state(&["diff", name, &serial.to_string()]);
    assert!(
        difference.contains("terraform_data.first\tdeleted") && difference.contains("terraform_data.other\tcreated"),
        "{difference}"
    );
    let rolled = state(&["rollback", name, &serial.to_string(), "--reason", "that was wrong"]);
    assert!(rolled.contains(&format!("serial {}", serial + 2)), "{rolled}");
    let listed = state(&["list", name]);
    assert!(listed.contains(&format!("rollback to the serial {serial}: that was wrong")), "{listed}");
    assert!(listed.contains("import: renamed"), "{listed}");
    // The tool finds what it made.
    let job = site.job(name, "flow:\n- {type: terraformPlan, step: 1}\n").await;
    let done = site.until(&job, &["completed"]).await;
    assert_eq!(done["data"]["attributes"]["planChanges"], false, "{done}");
    let drift = |words: &[&str]| client.prints(&[&["workspace", "drift"][..], words].concat(), 0);
    assert!(drift(&["show", name]).contains("no drift"));
    assert!(drift(&["check", name]).contains("looks for drift"));
    assert!(client.fails(&["workspace", "drift", "accept", name], 1).contains("no drift is known"));
}
