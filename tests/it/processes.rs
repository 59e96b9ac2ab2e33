//! What is special about plain processes: how their output is read, their own files, and the settings of their surroundings.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::Duration;

use serde_json::{Value, json};
use windlass::clock::Clock;
use windlass::liveness::wake::Wake;
use windlass::runner::process::ProcessRunner;
use windlass::runner::{Line, OUTPUT_FILE, OutputError, ProcessOptions, Runner, StepSpec, StepState, Stream};
use windlass::secret::Secret;

use crate::harness::wait_for;
use crate::runner::{ended, exit, portion, process, read, run, step, texts};
use crate::server::{Server, done};

/// The folder of a run has sources, values and outputs, which other users of the machine must not read.
#[tokio::test(flavor = "multi_thread")]
async fn others_cannot_enter_the_folder_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let runner = process(&folder.path().join("processes"));
    let (progress, lines) = run(&runner, &step("", "stat -c %a . ..")).await;
    assert_eq!((progress, texts(&lines)), (exit(0), vec!["700", "755"]));
}

/// A prompt and a progress display are there before their line is complete, and stdout and stderr are read together.
#[tokio::test(flavor = "multi_thread")]
async fn lines_of_processes_come_before_they_are_complete() {
    let folder = tempfile::tempdir().unwrap();
    let runner = process(folder.path());
    let spec = step("", "printf '50 %%\\r'; printf 'Name? '; read -r name < pipe; echo; echo \"hello $name\"");
    let scratch = folder.path().join(&spec.name);
    std::fs::create_dir_all(&scratch).unwrap();
    let made = std::process::Command::new("mkfifo").arg(scratch.join("pipe")).status().unwrap();
    assert!(made.success());
    runner.start(&spec).await.unwrap();
    let lines = wait_for("the prompt", async || {
        Some(runner.logs(&spec.name, 0, 10).await.unwrap().lines).filter(|lines| lines.len() == 2)
    });
    let lines = lines.await;
    assert_eq!((texts(&lines), lines[1].open), (vec!["50 %", "Name? "], true));
    std::fs::write(scratch.join("pipe"), "you\n").unwrap();
    assert_eq!(ended(&runner, &spec.name).await, exit(0));
    assert_eq!(texts(&read(&runner, &spec.name, 0, 10).await), ["50 %", "Name? ", "hello you"]);
    runner.remove(&spec.name).await.unwrap();
}

/// Reads the next lines of a log; false at its end.
async fn ended_or_more(runner: &dyn Runner, name: &str, lines: &mut Vec<Line>) -> bool {
    let next = portion(runner, name, lines.len() as u64, 1000).await;
    if next.lines.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    lines.extend(next.lines);
    !next.end
}

/// What is written a moment after the other stream is read after it.
#[tokio::test(flavor = "multi_thread")]
async fn both_streams_of_a_process_are_read_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let script = "i=0; while [ $i -lt 10 ]; do echo $i; sleep 0.1; echo $i >&2; sleep 0.1; i=$((i+1)); done";
    let (_, lines) = run(&process(folder.path()), &step("", script)).await;
    let expected: Vec<String> = (0..10).flat_map(|number| [number.to_string(), number.to_string()]).collect();
    assert_eq!(texts(&lines), expected);
    assert!(
        lines.chunks(2).all(|pair| pair[0].stream == Stream::Stdout && pair[1].stream == Stream::Stderr),
        "{lines:?}"
    );
    // Written without a pause, neither stream waits for the whole of the other one.
    let script = "i=0; while [ $i -lt 20000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    let (runner, spec) = (process(folder.path()), step("", script));
    runner.start(&spec).await.unwrap();
    let mut lines = Vec::new();
    while ended_or_more(&runner, &spec.name, &mut lines).await {}
    runner.remove(&spec.name).await.unwrap();
    let first_error = lines.iter().position(|line| line.stream == Stream::Stderr).unwrap();
    assert!(lines.len() == 40_000 && first_error < 5_000, "the first error is line {first_error}");
}

/// Symbolic links of a process do not lead out of its folder.
#[tokio::test(flavor = "multi_thread")]
async fn outputs_of_processes_are_their_own_files() {
    let folder = tempfile::tempdir().unwrap();
    let runner = process(folder.path());
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("qovery-output.json"), "{}").unwrap();
    let elsewhere = elsewhere.path().display();
    for script in [
        "ln -s /etc/passwd \"$WINDLASS_OUTPUT_FILE\"".to_owned(),
        format!("rmdir qovery-output && ln -s '{elsewhere}' qovery-output"),
    ] {
        let spec = step("", &script);
        runner.start(&spec).await.unwrap();
        assert_eq!(ended(&runner, &spec.name).await, exit(0));
        match runner.output(&spec.name, OUTPUT_FILE, 1000).await {
            Err(OutputError::Refused(reason)) => {
                assert!(reason.contains("leads out of the folder of the run"), "{reason}")
            }
            other => panic!("{other:?}"),
        }
        runner.remove(&spec.name).await.unwrap();
    }
}

/// Home, search path, working folder and user are those of the settings; without settings, those of the documentation.
#[tokio::test(flavor = "multi_thread")]
async fn the_surroundings_of_a_process_can_be_set() {
    let folder = tempfile::tempdir().unwrap();
    let runner = process(folder.path());
    let script = "echo \"$HOME\"; echo \"$PATH\"; pwd; id -u";
    let own_id = std::fs::metadata(folder.path()).unwrap().uid().to_string();
    let plain = step("", script);
    let scratch = folder.path().join(&plain.name).display().to_string();
    let (_, lines) = run(&runner, &plain).await;
    let standard = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(texts(&lines), [scratch.as_str(), standard, scratch.as_str(), own_id.as_str()]);
    let process = ProcessOptions {
        home: Some("/home/app".into()),
        path: Some("/opt/app/bin:/usr/bin:/bin".into()),
        working_folder: Some("/usr".into()),
        user: None,
        kept: None,
    };
    let (_, lines) = run(&runner, &StepSpec { process, ..step("", script) }).await;
    assert_eq!(texts(&lines), ["/home/app", "/opt/app/bin:/usr/bin:/bin", "/usr", own_id.as_str()]);
    for (options, reason) in [
        (ProcessOptions { working_folder: Some("/no/such".into()), ..Default::default() }, "/no/such is not a folder"),
        (ProcessOptions { user: Some("no-such-user".into()), ..Default::default() }, "is not a user of this machine"),
    ] {
        let spec = StepSpec { process: options, ..step("", "true") };
        runner.start(&spec).await.unwrap();
        let StepState::CannotStart { reason: told } = ended(&runner, &spec.name).await else { panic!("{reason}") };
        assert!(told.starts_with("process.") && told.contains(reason), "{told}");
    }
    if own_id != "0" {
        eprintln!("SKIPPED: only root can start the processes of another user");
        return;
    }
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    // Where processes have another user than the server, a job cannot name that of the server.
    let place = tempfile::tempdir().unwrap();
    let strict = crate::runner::process(place.path()).as_user(Some("nobody".into()));
    for user in ["root", "0"] {
        let process = ProcessOptions { user: Some(user.into()), ..Default::default() };
        let spec = StepSpec { process, ..step("", "id -un") };
        strict.start(&spec).await.unwrap();
        let StepState::CannotStart { reason } = ended(&strict, &spec.name).await else { panic!("{user}") };
        assert!(reason.starts_with("process.user: ") && reason.contains("--process-user"), "{reason}");
    }
    let process = ProcessOptions { user: Some("nobody".into()), ..Default::default() };
    let spec = StepSpec { process, ..step("", "id -un; pwd; echo '{}' > \"$WINDLASS_OUTPUT_FILE\"") };
    runner.start(&spec).await.unwrap();
    assert_eq!(ended(&runner, &spec.name).await, exit(0));
    let scratch = folder.path().join(&spec.name).display().to_string();
    assert_eq!(texts(&read(&runner, &spec.name, 0, 10).await), ["nobody", scratch.as_str()]);
    assert_eq!(runner.output(&spec.name, OUTPUT_FILE, 100).await.unwrap().unwrap(), b"{}\n");
    runner.remove(&spec.name).await.unwrap();
}

/// Where jobs run as plain processes, they need no source. What the server returns for such a job can be sent back.
#[tokio::test(flavor = "multi_thread")]
async fn a_plain_process_needs_no_image() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["serve", "--demo", "--runner", "process"], None);
    let path = format!("/environment/{}/job", server.greeting_id("/environment/"));
    let body =
        json!({"name": "plain", "schedule": {"on_start": {"entrypoint": "/bin/sh", "arguments": ["-c", "pwd"]}}});
    let (status, job, text) = server.call("POST", &path, Some(body)).await;
    assert_eq!(status, 201, "{text}");
    // Both official clients read the repository without asking whether there is one.
    let docker = &job["source"]["docker"];
    let none = ["dockerfile_path", "dockerfile_raw", "docker_target_build_stage"].map(|key| &docker[key]);
    assert_eq!((none, &docker["git_repository"]["url"]), ([&Value::Null; 3], &json!("")));
    let id = job["id"].as_str().unwrap();
    let again = json!({"name": "plain", "source": job["source"], "schedule": job["schedule"], "healthchecks": {}});
    let (status, edited, text) = server.call("PUT", &format!("/job/{id}"), Some(again)).await;
    assert_eq!((status, &edited["source"]), (200, &job["source"]), "{text}");
    let settings = server.get(&format!("/job/{id}/advancedSettings")).await;
    assert_eq!(settings["process.working_folder"], "");
    let mut settings = settings;
    settings["process.working_folder"] = json!("/usr");
    assert_eq!(server.call("PUT", &format!("/job/{id}/advancedSettings"), Some(settings)).await.0, 201);
    let (status, _, text) = server.call("POST", &format!("/job/{id}/deploy"), Some(json!({}))).await;
    assert_eq!(status, 202, "{text}");
    let run = server.run(id, 30, done).await;
    assert_eq!((&run["state"], &run["image"]), (&json!("SUCCEEDED"), &Value::Null), "{run}");
    let (_, _, log) = server.call("GET", &format!("/run/{}/log", run["id"].as_str().unwrap()), None).await;
    assert_eq!(log, "/usr\n");
    let (status, manual, text) = server.call("POST", &format!("/job/{id}/run"), Some(json!({}))).await;
    assert_eq!(status, 202, "{text}");
    let manual = server.run(id, 30, |run| run["id"] == manual["id"] && done(run)).await;
    assert_eq!(manual["state"], "SUCCEEDED", "{manual}");
}

/// Whether a process runs; one that has ended but was not reaped does not.
fn runs(process: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

/// A runner whose supervisors find no control groups, and so have only what they adopt.
fn without_control_groups(folder: &std::path::Path) -> ProcessRunner {
    let program = env!("CARGO_BIN_EXE_windlass");
    let script = format!(
        "#!/bin/sh\nhide='mount -t tmpfs none /sys/fs/cgroup'\nunshare --mount sh -c \"$hide\" || exec {program} \"$@\"\n\
         exec unshare --mount sh -c \"$hide; exec {program} \\\"\\$@\\\"\" sh \"$@\"\n"
    );
    let path = folder.join(".supervisor");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    ProcessRunner::new(folder.to_owned(), Some(path), Clock::system(), Wake::default())
}

/// What a process starts ends with it, whether it ends by itself, is stopped or is removed. Neither a session of its own, nor a parent
/// that has ended, nor an environment without the mark of the step protects it.
#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_process_has_started_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    for runner in [process(folder.path()), without_control_groups(folder.path())] {
        nothing_outlives_a_process(&folder, &runner).await;
    }
}

async fn nothing_outlives_a_process(folder: &tempfile::TempDir, runner: &ProcessRunner) {
    let daemons = "setsid sh -c 'echo $$ > one; exec sleep 1000' & \
         (setsid env -i /bin/sh -c 'echo $$ > two; trap \"\" TERM; while :; do /bin/sleep 1; done' &) ; \
         while [ ! -s one ] || [ ! -s two ]; do sleep 0.05; done; ";
    for how in ["exit 3", "sleep 1000", "trap '' TERM; while :; do sleep 0.1; done", "kill -9 $$"] {
        let spec = step("", &format!("{daemons} echo ready; {how}"));
        let scratch = folder.path().join(&spec.name);
        runner.start(&spec).await.unwrap();
        let daemons = wait_for("the daemons", async || {
            let of = |name: &str| Some(std::fs::read_to_string(scratch.join(name)).ok()?.trim().to_owned());
            let ready = !runner.logs(&spec.name, 0, 10).await.unwrap().lines.is_empty();
            Some([of("one")?, of("two")?]).filter(|_| ready)
        });
        let daemons = daemons.await;
        runner.stop(&spec.name, Duration::from_millis(100)).await.unwrap();
        let state = ended(runner, &spec.name).await;
        assert!(
            matches!(&state, StepState::Exited { exit_code, .. } if [3, 143, 137].contains(exit_code)),
            "{state:?}"
        );
        assert!(!daemons.iter().any(|one| runs(one)), "{how}: {daemons:?}");
        runner.remove(&spec.name).await.unwrap();
    }
    // Removed while it runs.
    let spec = step("", &format!("{daemons} echo ready; sleep 1000"));
    let scratch = folder.path().join(&spec.name);
    runner.start(&spec).await.unwrap();
    wait_for("the daemons", async || (!runner.logs(&spec.name, 0, 10).await.unwrap().lines.is_empty()).then_some(()))
        .await;
    let daemon = std::fs::read_to_string(scratch.join("two")).unwrap().trim().to_owned();
    assert!(runs(&daemon));
    runner.remove(&spec.name).await.unwrap();
    wait_for("the end of the daemon", async || (!runs(&daemon)).then_some(())).await;
}

/// A step that starts processes all the time is ended as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_processes_ends() {
    let folder = tempfile::tempdir().unwrap();
    for runner in [process(folder.path()), without_control_groups(folder.path())] {
        no_flood_outlives_its_process(&runner).await;
    }
}

async fn no_flood_outlives_its_process(runner: &ProcessRunner) {
    let script = "echo ready; trap '' TERM; i=0; while [ $i -lt 3000 ]; do setsid sleep 1000 >/dev/null & i=$((i+1)); done; sleep 1000";
    let spec = step("", script);
    runner.start(&spec).await.unwrap();
    wait_for("the flood", async || (!runner.logs(&spec.name, 0, 10).await.unwrap().lines.is_empty()).then_some(()))
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    runner.stop(&spec.name, Duration::ZERO).await.unwrap();
    assert!(matches!(ended(runner, &spec.name).await, StepState::Exited { exit_code: 137, .. }));
    let mark = format!("WINDLASS_STEP={}", spec.name);
    let left = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
    });
    assert_eq!(left.count(), 0);
    runner.remove(&spec.name).await.unwrap();
}

/// A supervisor that is killed takes its step with it, and the step has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_supervisor_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let runner = process(folder.path());
    let spec = step("", "setsid sleep 1000 & echo $!; echo $PPID; sleep 1000");
    runner.start(&spec).await.unwrap();
    let lines = wait_for("the lines", async || {
        Some(runner.logs(&spec.name, 0, 10).await.unwrap().lines).filter(|lines| lines.len() == 2)
    });
    let lines = lines.await;
    let killed = std::process::Command::new("kill").args(["-9", &lines[1].text]).status().unwrap();
    assert!(killed.success());
    let reason = Some("its supervisor was killed".to_owned());
    assert_eq!(ended(&runner, &spec.name).await, StepState::Exited { exit_code: 137, reason });
    assert!(!runs(&lines[0].text));
    runner.remove(&spec.name).await.unwrap();
}

/// Steps go on without the process that started their supervisors, and another one starts the next.
#[tokio::test(flavor = "multi_thread")]
async fn steps_survive_the_process_that_starts_them() {
    let folder = tempfile::tempdir().unwrap();
    let runner = process(folder.path());
    let spec = step("", "cut -d ' ' -f 4 /proc/$PPID/stat; while [ ! -e go ]; do sleep 0.05; done; exit 3");
    runner.start(&spec).await.unwrap();
    let spawner = wait_for("the line", async || runner.logs(&spec.name, 0, 1).await.unwrap().lines.pop()).await.text;
    let killed = std::process::Command::new("kill").args(["-9", &spawner]).status().unwrap();
    assert!(killed.success());
    wait_for("the end of the process", async || (!runs(&spawner)).then_some(())).await;
    let next = step("", "exit 4");
    runner.start(&next).await.unwrap();
    assert_eq!(ended(&runner, &next.name).await, exit(4));
    std::fs::write(folder.path().join(&spec.name).join("go"), "").unwrap();
    assert_eq!(ended(&runner, &spec.name).await, exit(3));
    for spec in [spec, next] {
        runner.remove(&spec.name).await.unwrap();
    }
}

/// A supervisor of which nothing is left to do gets the next step, with nothing of the one before.
#[tokio::test(flavor = "multi_thread")]
async fn a_free_supervisor_gets_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let runner = process(folder.path());
    let mut supervisors = Vec::new();
    for (count, how) in
        ["exit 1", "kill -9 $$", "sleep 1000 & exit 3", "trap '' TERM; sleep 1000"].into_iter().enumerate()
    {
        let mut spec = step("", &format!("echo $PPID; env | grep -c ONLY; pwd; {how}"));
        spec.environment.push((format!("ONLY_{count}"), Secret::new("x".into())));
        runner.start(&spec).await.unwrap();
        let lines = wait_for("the lines", async || {
            Some(runner.logs(&spec.name, 0, 10).await.unwrap().lines).filter(|lines| lines.len() == 3)
        });
        let lines = lines.await;
        let pwd = std::fs::canonicalize(folder.path().join(&spec.name)).unwrap();
        assert_eq!((lines[1].text.as_str(), lines[2].text.as_str()), ("1", pwd.to_str().unwrap()));
        supervisors.push(lines[0].text.clone());
        runner.stop(&spec.name, Duration::ZERO).await.unwrap();
        assert!(matches!(ended(&runner, &spec.name).await, StepState::Exited { .. }));
        runner.remove(&spec.name).await.unwrap();
    }
    assert!(supervisors.windows(2).all(|two| two[0] == two[1]), "{supervisors:?}");
    let same = supervisors.remove(0);
    wait_for("the end of the free supervisor", async || (!runs(&same)).then_some(())).await;
}
