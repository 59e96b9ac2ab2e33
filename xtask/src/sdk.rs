//! `cargo xtask sdk`: SDKs in four languages, generated from the API description and built in target/sdk.
//!
//! The generator is OpenAPI Generator, from the Python Package Index.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, Result, find, read, root, run};
use crate::{npm, packages, python};

const GENERATOR: &str = "openapi-generator-cli==7.26.0";

/// A language: the name and the settings of its generator, and the function that builds the generated files.
struct Language {
    name: &'static str,
    generator: &'static str,
    settings: &'static [&'static str],
    build: fn(&Path) -> Result<Vec<Command>>,
}

const LANGUAGES: [Language; 4] = [
    Language { name: "typescript", generator: "typescript-axios", settings: &[], build: typescript },
    Language { name: "python", generator: "python", settings: &["--package-name", "windlass_sdk"], build: python },
    Language {
        name: "go",
        generator: "go",
        settings: &[
            "--additional-properties=enumClassPrefix=true,packageName=windlass,useOneOfDiscriminatorLookup=true",
            "--git-host=example.invalid",
            "--git-user-id=windlass",
            "--git-repo-id=sdk",
        ],
        build: go,
    },
    Language { name: "rust", generator: "rust", settings: &["--package-name", "windlass-sdk"], build: rust },
];

/// Warnings of the generator that do not affect the result.
const HARMLESS: [&str; 6] = [
    // The generator has renamed a thing.
    "cannot be used as a model name. Renamed to",
    "cannot be used as model name. Renamed to",
    "cannot be used as a field/variable name. Renamed to",
    // Responses without a schema: the metrics, and the API description itself.
    "Failed to get the schema name: null",
    "Codegen property is null (e.g. map/dict of undefined type). Default to typing.Any.",
    "sun.misc.Unsafe",
];

/// Programs that are needed, and the Debian packages that contain them.
pub(crate) const PACKAGES: [(&str, &str); 4] =
    [("java", "default-jre-headless"), ("node", "nodejs"), ("npm", "npm"), ("go", "golang-go")];

/// Generates and builds every SDK.
pub(crate) fn run_all() -> Result<()> {
    packages::install(&PACKAGES, &[]);
    tours()?;
    eprintln!("{} contains the SDKs", root().join("target/sdk").display());
    Ok(())
}

/// Generates and builds every SDK; returns the programs that call a server with them, which read its URL and token from
/// their environment.
pub(crate) fn tours() -> Result<Vec<Command>> {
    let folder = root().join("target/sdk");
    let jar = generator()?;
    let mut tours = Vec::new();
    for language in &LANGUAGES {
        eprintln!("== target/sdk/{}", language.name);
        let folder = folder.join(language.name);
        generate(language, &jar, &folder)?;
        tours.extend((language.build)(&folder)?);
    }
    Ok(tours)
}

/// The generator, a Java archive.
pub(crate) fn generator() -> Result<PathBuf> {
    let folder = root().join("target/sdk");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let python = python::with(&folder.join("generator"), &[GENERATOR])?;
    let find = "import openapi_generator_cli as g; print(g.__path__[0])";
    Ok(PathBuf::from(read(Command::new(python).args(["-c", find]))?).join("openapi-generator.jar"))
}

fn generate(language: &Language, jar: &Path, folder: &Path) -> Result<()> {
    let _old = fs::remove_dir_all(folder);
    let java = find("java").ok_or("java is not installed")?;
    let mut command = Command::new(java);
    command.arg("-jar").arg(jar).args(["generate", "-g", language.generator, "-i"]);
    command.arg(root().join("api-spec/openapi.yaml")).arg("-o").arg(folder).args(language.settings);
    let output = command.output().map_err(|e| format!("java: {e}"))?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!("the generator failed for {}: {said}", language.name));
    }
    let matters = |line: &&str| {
        (line.contains("WARN") || line.contains("ERROR")) && !HARMLESS.iter().any(|known| line.contains(known))
    };
    match said.lines().filter(matters).collect::<Vec<_>>().as_slice() {
        [] => Ok(()),
        lines => Err(format!("the generator warns, for {}:\n{}", language.name, lines.join("\n"))),
    }
}

fn copy_tour(name: &str, to: &Path) -> Result<()> {
    let from = root().join("tests/clients/sdk").join(name);
    let copied = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(&from, to).map(|_| ()));
    copied.map_err(|e| format!("{}: {e}", to.display()))
}

fn typescript(folder: &Path) -> Result<Vec<Command>> {
    // The SDK moves to a folder beside the program; the manifest names the packages of both.
    let sdk = folder.join("sdk");
    fs::create_dir_all(&sdk).map_err(|e| e.to_string())?;
    for file in ["api.ts", "base.ts", "common.ts", "configuration.ts", "index.ts"] {
        fs::rename(folder.join(file), sdk.join(file)).map_err(|e| format!("{file}: {e}"))?;
    }
    for file in ["package.json", "package-lock.json", "tsconfig.json", "tour.ts"] {
        copy_tour(file, &folder.join(file))?;
    }
    npm::install(folder)?;
    run(Command::new("npx").args(["tsc", "-p", "."]).current_dir(folder))?;
    let mut tour = Command::new("node");
    tour.arg(folder.join("out/tour.js"));
    Ok(vec![tour])
}

fn python(folder: &Path) -> Result<Vec<Command>> {
    let environment = folder.join("venv");
    read(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let python = environment.join("bin/python");
    read(Command::new(&python).args(["-m", "pip", "install", "-q", "."]).current_dir(folder))?;
    let mut tour = Command::new(python);
    tour.arg(root().join("tests/clients/sdk/tour.py"));
    Ok(vec![tour])
}

fn go(folder: &Path) -> Result<Vec<Command>> {
    let programs = ["tour", "provider"];
    for name in programs {
        copy_tour(&format!("{name}.go"), &folder.join(name).join("main.go"))?;
    }
    for words in
        [&["mod", "tidy"][..], &["vet", ".", "./tour", "./provider"], &["build", "-o", "bin/", "./tour", "./provider"]]
    {
        read(Command::new("go").args(words).current_dir(folder))?;
    }
    Ok(programs.map(|name| Command::new(folder.join("bin").join(name))).into())
}

/// The dependencies of the Rust program beside the SDK.
const RUNTIME: &str = "\n[dev-dependencies]\n\
    tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"time\"] }\n\n[workspace]\n";

fn rust(folder: &Path) -> Result<Vec<Command>> {
    // serde consumes the tag of the union before it reads a member, which declares it again: a bug of the generator
    // (OpenAPITools/openapi-generator, issue 22344).
    for model in ["cron_job_response.rs", "lifecycle_job_response.rs"] {
        let tag = "#[serde(rename = \"job_type\"";
        edit(&folder.join("src/models").join(model), |text| {
            text.replace(tag, &format!("{tag}, default, skip_serializing"))
        })?;
    }
    edit(&folder.join("Cargo.toml"), |text| text + RUNTIME)?;
    copy_tour("tour.rs", &folder.join("examples/tour.rs"))?;
    let target = root().join("target/sdk/rust-target");
    let mut build = command::cargo_for_others();
    // rustls, because not every machine can build the system's TLS library.
    build.args(["build", "-q", "--no-default-features", "--features", "rustls", "--example", "tour"]);
    run(build.current_dir(folder).env("CARGO_TARGET_DIR", &target))?;
    Ok(vec![Command::new(target.join("debug/examples/tour"))])
}

fn edit(path: &Path, change: impl FnOnce(String) -> String) -> Result<()> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    fs::write(path, change(text)).map_err(|e| format!("{}: {e}", path.display()))
}
