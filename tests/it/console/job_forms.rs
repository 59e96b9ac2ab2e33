//! The forms of jobs: what they refuse, keep and say.

use entity::member::Role;
use serde_json::json;

use super::browser::{Browser, between};
use super::jobs::definition;
use crate::harness::{Furnished, TestApp};

/// A deployed job that the form can edit, and the address of its page.
async fn created(app: &TestApp, it: &Furnished, me: &Browser) -> (String, String) {
    let new = format!("/console/environment/{}/jobs/new", it.environment);
    let to = me.submit(&new, &new, &definition(&it.registry, "report", "0 4 * * *")).await.leads();
    let job = between(&to, "/console/job/", "?").unwrap().to_owned();
    let page = format!("/console/job/{job}");
    me.submit(&page, &format!("{page}/deploy"), &[]).await.leads();
    app.settle().await;
    app.clock.forward(60);
    (job, page)
}

/// The fields of the edit form with these values instead of those of the job.
async fn edited<'a>(
    me: &Browser,
    edit: &str,
    seen: &'a mut String,
    fields: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    *seen = between(&me.get(edit).await.expect(200), "name=\"seen\" value=\"", "\"").unwrap().to_owned();
    let mut all = fields.to_vec();
    all.push(("seen", seen.as_str()));
    all
}

#[tokio::test]
async fn a_misspelt_setting_is_refused_and_the_others_stay() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("report", "0 3 * * *")).await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let settings = format!("/console/job/{job}/settings");
    let save = async |text: &str| me.submit(&settings, &settings, &[("settings", text)]).await;
    save("{\"cronjob.concurrency_policy\": \"Allow\"}").await.leads();
    let refused = save("{\"cronjob.concurency_policy\": \"Queue\", \"nonsense\": 1}").await.expect(400);
    for text in [
        "cronjob.concurency_policy is no advanced setting; did you mean cronjob.concurrency_policy?",
        "nonsense is no advanced setting<",
        "{&quot;cronjob.concurency_policy&quot;: &quot;Queue&quot;",
    ] {
        assert!(refused.contains(text), "{text}: {refused}");
    }
    let stored = it.client.get(&format!("/job/{job}/advancedSettings")).await.expect(200);
    assert_eq!(stored["cronjob.concurrency_policy"], "Allow");
    let refused = save("{\n\"cronjob.jitter_seconds\" 1}").await.expect(400);
    assert!(refused.contains("at line 2 column"), "{refused}");
}

#[tokio::test]
async fn an_edit_that_meets_another_says_who_changed_what_and_can_be_saved() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let (job, page) = created(&app, &it, &me).await;
    let edit = format!("{page}/edit");
    let mut form = definition(&it.registry, "mine", "0 4 * * *");
    let mut seen = String::new();
    let fields = edited(&me, &edit, &mut seen, &form).await;
    it.client.put(&format!("/job/{job}"), json!({"memory": 333})).await.expect(200);
    app.clock.forward(60);
    let refused = me.submit(&edit, &edit, &fields).await.expect(400);
    for text in [
        "The job was changed by somebody else in the meantime",
        "with the API",
        ">64</del>",
        ">333</ins>",
        "What saving again replaces",
        ">333</del>",
        "value=\"mine\"",
        &format!("href=\"{edit}\""),
    ] {
        assert!(refused.contains(text), "{text}: {refused}");
    }
    assert_eq!(it.client.get(&format!("/job/{job}")).await.expect(200)["memory"], 333);
    let newest = between(&refused, "name=\"seen\" value=\"", "\"").unwrap().to_owned();
    form.push(("seen", &newest));
    me.submit(&edit, &edit, &form).await.leads();
    let stored = it.client.get(&format!("/job/{job}")).await.expect(200);
    assert_eq!((&stored["name"], &stored["memory"]), (&json!("mine"), &json!(64)));
}

#[tokio::test]
async fn the_first_button_of_a_form_is_not_its_preview() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let page = me.get(&format!("/console/environment/{}/jobs/new", it.environment)).await.expect(200);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}: {page}"));
    assert!(place("Create the job</button>") < place("name=\"preview\""), "Enter presses the first button: {page}");
}

#[tokio::test]
async fn what_only_describes_a_job_needs_no_deployment() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let (job, page) = created(&app, &it, &me).await;
    let edit = format!("{page}/edit");
    let mut form = definition(&it.registry, "report", "0 4 * * *");
    form[2].1 = "other words";
    let mut seen = String::new();
    let fields = edited(&me, &edit, &mut seen, &form).await;
    let to = me.submit(&edit, &edit, &fields).await.leads();
    let shown = me.get(&to).await.expect(200);
    assert!(shown.contains("It needs no deployment.") && shown.contains("It is up to date."), "{shown}");
    assert!(!shown.contains("not deployed yet") && !shown.contains("Deploy it to make"), "{shown}");
    assert_eq!(it.client.get(&format!("/job/{job}")).await.expect(200)["description"], "other words");

    // What runs otherwise does, and is called as in the form.
    form[3].1 = "0 5 * * *";
    let mut seen = String::new();
    let fields = edited(&me, &edit, &mut seen, &form).await;
    let to = me.submit(&edit, &edit, &fields).await.leads();
    let shown = me.get(&to).await.expect(200);
    for text in ["Deploy it to make the change effective.", "not deployed yet", ">Cron expression</th>", "out of date"]
    {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("other words</ins>"), "a description is not deployed: {shown}");
}
