//! A real server: an apply carries out exactly the plan that was made, with the values it was made with.

use serde_json::{Value, json};

use super::terraform::{APPLY, ASK, Site, tools};
use super::{change, detail, new};
use crate::git_server::git;

fn output(job: &Value) -> &str {
    job["data"]["attributes"]["output"].as_str().unwrap_or_default()
}

/// A plan that is too large, or that is missing: the plan step fails, and nothing is applied.
#[tokio::test]
async fn no_apply_without_its_plan() {
    let Some(site) = Site::new().await else { return };
    let workspace = site.workspace(&[("who", "someone", false)]).await;
    let cases = [
        ("truncate -s 70M \"$plan\"", "larger than 64 MiB"),
        ("rm \"$plan\"", "the step left no plan"),
        (": > \"$plan\"", "the step left no plan"),
    ];
    for (script, reason) in cases {
        let flow = |ignore: bool| {
            format!(
                "flow:\n- type: terraformPlan\n  name: Look\n  step: 1\n  ignoreError: {ignore}\n  commands:\n  - runtime: BASH\n    after: true\n    script: 'plan=$(dirname \"$WINDLASS_OUTPUT_FILE\")/plan; {script}'\n- {{type: terraformApply, step: 2}}\n"
            )
        };
        let job = site.job(&workspace, &flow(false)).await;
        let failed = site.until(&job, &["failed"]).await;
        assert!(output(&failed).contains("Look: ") && output(&failed).contains(reason), "{failed}");
        // A failure that counts as success does not lead to another apply.
        let job = site.job(&workspace, &flow(true)).await;
        let failed = site.until(&job, &["failed"]).await;
        assert!(output(&failed).contains("the step \"Look\" left no plan"), "{failed}");
        assert_eq!(site.state(&workspace).await, None);
    }
}

/// Changes a variable of a workspace.
async fn set(site: &Site, workspace: &str, key: &str, value: &str) {
    let path = format!("/api/v1/organization/{}/workspace/{workspace}/variable", site.organization);
    let all = site.get(&path).await;
    let all = all["data"].as_array().unwrap();
    let id = all.iter().find(|one| one["attributes"]["key"] == key).unwrap()["id"].as_str().unwrap();
    let body = change("variable", id, json!({"value": value}));
    assert_eq!(site.send("PATCH", &format!("{path}/{id}"), Some(body)).await.0, 204);
}

/// The output `who` of the newest state.
async fn who(site: &Site, workspace: &str) -> Value {
    site.state(workspace).await.unwrap()["outputs"]["who"]["value"].clone()
}

#[tokio::test]
async fn a_plan_is_applied_with_its_values() {
    for (folder, tool) in tools() {
        let site = Site::with(folder, tool, &["--runner", "process"]).await;
        let workspace = site.workspace(&[("who", "before", false), ("sizes", "[1]", false)]).await;
        let environment = json!({"key": "SAID", "value": "early", "category": "ENV"});
        site.post(&format!("workspace/{workspace}/variable"), new("variable", environment)).await;
        let apply = "{type: terraformApply, step: 200, commands: [{runtime: BASH, after: true, script: 'echo \"said $SAID\"'}]}";
        // The scripts of the approval wait for this file.
        let changed = site.folder.path().join("changed");
        let waits = format!(
            "{{type: approval, step: 150, commands: [{{runtime: BASH, script: 'until [ -e {} ]; do sleep 0.1; done'}}]}}",
            changed.display()
        );
        let flow =
            ASK.replace("{type: terraformApply, step: 200}", apply).replace("{type: approval, step: 150}", &waits);
        let job = site.job(&workspace, &flow).await;
        site.until(&job, &["waitingApproval"]).await;
        site.give(&job, "approved").await;
        set(&site, &workspace, "who", "after").await;
        set(&site, &workspace, "sizes", "[1, 2]").await;
        set(&site, &workspace, "SAID", "late").await;
        std::fs::write(&changed, "").unwrap();
        let done = site.until(&job, &["completed"]).await;
        assert_eq!(who(&site, &workspace).await, "before-1");
        let logs = site.logs(&done).await;
        assert!(logs.contains("said early") && !logs.contains("before"), "{logs}");
        // The next plan uses the new values.
        let job = site.job(&workspace, APPLY).await;
        site.until(&job, &["completed"]).await;
        assert_eq!(who(&site, &workspace).await, "after-2");
    }
}

/// The values of a workspace override those in its repository, and are parsed by the types of their variables.
#[tokio::test]
async fn values_override_the_repository() {
    for (folder, tool) in tools() {
        let site = Site::with(folder, tool, &["--runner", "process"]).await;
        let repository = site.folder.path().join("repository");
        let module = "variable \"names\" { type = list(string) }\nvariable \"note\" { type = string }\n\
                      output \"names\" { value = join(\"/\", var.names) }\noutput \"note\" { value = var.note }\n";
        std::fs::write(repository.join("infra/more.tf"), module).unwrap();
        let values = "who = \"file\"\nnames = [\"file\"]\nnote = \"file\"\nsizes = [7, 7, 7]\n";
        std::fs::write(repository.join("infra/zzz.auto.tfvars"), values).unwrap();
        git(&repository, &["add", "."]);
        git(&repository, &["commit", "-q", "-m", "values"]);
        let workspace = site
            .workspace(&[
                ("who", "workspace", false),
                ("names", "[\"it's\",\n \"$${x} \\\\ b\"]", false),
                ("note", "[\"a\"]", false),
                ("sizes", "[1, 2]", true),
                ("undeclared", "[\"a\"]", false),
            ])
            .await;
        let job = site.job(&workspace, ASK).await;
        site.until(&job, &["waitingApproval"]).await;
        site.give(&job, "approved").await;
        site.until(&job, &["completed"]).await;
        let state = site.state(&workspace).await.unwrap();
        assert_eq!(state["outputs"]["who"]["value"], "workspace-2");
        assert_eq!(state["outputs"]["note"]["value"], "[\"a\"]");
        let job = site.job(&workspace, "flow:\n- {type: terraformDestroy, step: 1}\n").await;
        site.until(&job, &["completed"]).await;
    }
}

/// A step waits for a lock that somebody else holds, and the job says who that is.
#[tokio::test]
async fn the_holder_of_the_lock_is_named() {
    let Some(site) = Site::new().await else { return };
    let workspace = site.workspace(&[("who", "someone", false)]).await;
    let path = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", site.organization);
    let lock = json!({"ID": "mine", "Who": "ann@laptop", "Operation": "OperationTypeApply"});
    assert_eq!(site.send("LOCK", &path, Some(lock.clone())).await.0, 200);
    let job = site.job(&workspace, APPLY).await;
    let said = async || {
        let found = site.until(&job, &["pending", "queue", "running"]).await;
        output(&found).contains("held by ann@laptop (OperationTypeApply)").then_some(())
    };
    crate::harness::wait_for("the holder of the lock", said).await;
    assert_eq!(site.send("UNLOCK", &path, Some(lock.clone())).await.0, 200);
    let done = site.until(&job, &["completed"]).await;
    assert_eq!(output(&done), "");
    drop(site);
    let (folder, tool) = tools().remove(0);
    let words = ["--runner", "process", "--state-lock-timeout-seconds", "1"];
    let site = Site::with(folder, tool, &words).await;
    let workspace = site.workspace(&[("who", "someone", false)]).await;
    let path = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", site.organization);
    assert_eq!(site.send("LOCK", &path, Some(lock)).await.0, 200);
    let job = site.job(&workspace, APPLY).await;
    let failed = site.until(&job, &["failed"]).await;
    assert!(output(&failed).contains("held by ann@laptop"), "{failed}");
}

/// Nothing outside the checkout is entered, read or written.
#[tokio::test]
async fn a_step_stays_inside_its_checkout() {
    let Some(site) = Site::new().await else { return };
    let outside = site.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("kept"), "kept").unwrap();
    let repository = site.folder.path().join("repository");
    std::os::unix::fs::symlink(&outside, repository.join("away")).unwrap();
    std::os::unix::fs::symlink(outside.join("kept"), repository.join(".windlass-commit")).unwrap();
    for name in ["windlass_override.tf", "zz_windlass.auto.tfvars", "windlass.plan", "errored.tfstate"] {
        std::os::unix::fs::symlink(outside.join("kept"), repository.join("infra").join(name)).unwrap();
    }
    git(&repository, &["add", "."]);
    git(&repository, &["commit", "-q", "-m", "links"]);
    let workspace = site.workspace(&[("who", "someone-secret", false)]).await;
    let modes = "flow:\n- type: terraformApply\n  step: 1\n  commands:\n  - {runtime: BASH, after: true, script: 'stat -c \"mode %a %n\" *windlass* ../.windlass-commit; pwd'}\n";
    let job = site.job(&workspace, modes).await;
    let done = site.until(&job, &["completed"]).await;
    let logs = site.logs(&done).await;
    for name in ["windlass_override.tf", "zz_windlass.auto.tfvars", "../.windlass-commit"] {
        assert!(logs.contains(&format!("mode 600 {name}")), "{logs}");
    }
    let scratch = logs.lines().last().unwrap();
    // It is removed after the end was stored.
    let removed = async || (!std::path::Path::new(scratch).exists()).then_some(());
    crate::harness::wait_for("the removal of the step", removed).await;
    let path = format!("/api/v1/workspace/{workspace}");
    let link = change("workspace", &workspace, json!({"folder": "/away"}));
    assert_eq!(site.send("PATCH", &path, Some(link)).await.0, 204);
    let job = site.job(&workspace, APPLY).await;
    let failed = site.until(&job, &["failed"]).await;
    assert!(site.logs(&failed).await.contains("outside the repository"), "{failed}");
    let entries: Vec<_> = std::fs::read_dir(&outside).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(entries, ["kept"]);
    assert_eq!(std::fs::read_to_string(outside.join("kept")).unwrap(), "kept");
}

#[tokio::test]
async fn a_folder_outside_the_repository_is_refused() {
    let house = super::House::new().await;
    let workspace = house.workspace("inside").await;
    for folder in ["/../..", "..", "a/../b", "a,../b", "a\nb"] {
        let attributes = json!({"name": "outside", "folder": folder});
        let made = house.client.post(&house.path("workspace"), new("workspace", attributes)).await;
        assert!(detail(made, 400).contains("folder"), "{folder:?}");
        let path = house.path(&format!("workspace/{workspace}"));
        let body = change("workspace", &workspace, json!({"folder": folder}));
        assert!(detail(house.client.patch(&path, body).await, 400).contains("folder"), "{folder:?}");
    }
    for folder in ["/", "a/b..c", "/...", ""] {
        house
            .client
            .patch(
                &house.path(&format!("workspace/{workspace}")),
                change("workspace", &workspace, json!({"folder": folder})),
            )
            .await
            .expect(204);
    }
}

/// What `init` has fetched for a plan is used by its apply; scripts before it may expect a fresh folder.
#[tokio::test]
async fn a_module_is_initialized_once_for_a_plan_and_its_apply() {
    let Some(site) = Site::new().await else { return };
    let script = "\n  commands:\n  - {runtime: BASH, priority: 1, beforeInit: true, script: echo first}\n";
    let scripted = "flow:\n- {type: terraformPlan, step: 100}\n- type: terraformApply\n  step: 200".to_owned() + script;
    for (flow, times) in [(APPLY, 1), (&scripted, 2)] {
        let workspace = site.workspace(&[("who", "a", false)]).await;
        let job = site.job(&workspace, flow).await;
        let done = site.until(&job, &["completed"]).await;
        let logs = site.logs(&done).await;
        assert_eq!(logs.matches("Initializing the backend").count(), times, "{logs}");
        assert!(logs.contains("Apply complete! Resources: 1 added"), "{logs}");
    }
}
