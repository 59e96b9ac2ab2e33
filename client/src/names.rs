//! What a name means: ids are accepted everywhere, and a name as long as it is the only one. A job is `job`, `environment/job` or
//! `project/environment/job`, an environment `environment` or `project/environment`.

use uuid::Uuid;

use crate::api::{Api, shown};
use crate::failure::{Failure, Result};
use crate::rows::{Environment, Job, List, Named};

/// The jobs of one page.
const PAGE: usize = 1000;

/// A server with the organization that is meant.
pub(crate) struct Place {
    pub(crate) api: Api,
    pub(crate) organization: Uuid,
}

/// An environment with its project.
#[derive(Clone)]
pub(crate) struct EnvironmentOf {
    pub(crate) environment: Environment,
    pub(crate) project: String,
}

impl EnvironmentOf {
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.project, self.environment.name)
    }
}

impl Place {
    /// The organization of a command. An id needs no look at the list: if there is no such organization, whatever is asked for next says so.
    pub(crate) async fn meant((api, wanted): (Api, Option<String>)) -> Result<Self> {
        match wanted.as_deref().and_then(|text| Uuid::parse_str(text).ok()) {
            Some(organization) => Ok(Self { organization, api }),
            None => Self::find((api, wanted)).await,
        }
    }

    /// Finds the organization: the one that is named, or the only one.
    pub(crate) async fn find((api, wanted): (Api, Option<String>)) -> Result<Self> {
        let all: List<Named> = shown(&api.get("/organization", &[]).await?)?;
        let fits =
            |row: &Named| wanted.as_ref().is_none_or(|text| row.id.to_string() == *text || same(&row.name, text));
        let found: Vec<&Named> = all.results.iter().filter(|row| fits(row)).collect();
        let names = all.results.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ");
        match (found.as_slice(), &wanted) {
            ([one], _) => Ok(Self { organization: one.id, api }),
            (_, Some(text)) => {
                Err(Failure::NotFound(format!("there is no single organization {text}; there are: {names}")))
            }
            ([], None) => Err(Failure::NotFound("the token sees no organization".into())),
            (_, None) => Err(Failure::Usage(format!("name an organization with --organization: {names}"))),
        }
    }

    /// All jobs whose name contains a text, with the answers as they came.
    pub(crate) async fn jobs(&self, text: Option<&str>, state: Option<&str>) -> Result<Vec<serde_json::Value>> {
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let mut query = vec![("count", PAGE.to_string())];
            query.extend(text.map(|text| ("text", text.to_owned())));
            query.extend(state.map(|state| ("state", state.to_owned())));
            query.extend(after.take().map(|after| ("after", after)));
            let page = self.api.get(&format!("/organization/{}/job", self.organization), &query).await?;
            let List { results }: List<serde_json::Value> = shown(&page)?;
            rows.extend(results);
            match page.get("next_after").and_then(|next| next.as_str()) {
                Some(next) => after = Some(next.to_owned()),
                None => return Ok(rows),
            }
        }
    }

    /// The job that is meant.
    pub(crate) async fn job(&self, name: &str) -> Result<Job> {
        let last = name.rsplit('/').next().unwrap_or(name);
        let is_id = Uuid::parse_str(name).is_ok();
        let rows = self.jobs(if is_id { None } else { Some(last) }, None).await?;
        let jobs = rows.iter().map(shown).collect::<Result<Vec<Job>>>()?;
        one("job", name, jobs, |job| {
            (job.id, vec![job.name.clone(), format!("{}/{}", job.environment_name, job.name), job.full_name()])
        })
    }

    /// All environments.
    pub(crate) async fn environments(&self) -> Result<Vec<EnvironmentOf>> {
        let id = self.organization;
        let projects: List<Named> = shown(&self.api.get(&format!("/organization/{id}/project"), &[]).await?)?;
        let all: List<Environment> = shown(&self.api.get(&format!("/organization/{id}/environments"), &[]).await?)?;
        let named = |environment: Environment| {
            let project = projects.results.iter().find(|row| row.id == environment.project.id);
            EnvironmentOf { project: project.map(|row| row.name.clone()).unwrap_or_default(), environment }
        };
        Ok(all.results.into_iter().map(named).collect())
    }

    /// The environment that is meant.
    pub(crate) async fn environment(&self, name: &str) -> Result<EnvironmentOf> {
        let all = self.environments().await?;
        one("environment", name, all, |row| (row.environment.id, vec![row.environment.name.clone(), row.full_name()]))
    }
}

/// Names are compared as the server does, without regard to case.
fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// The only row that a name means. `names` gives the id of a row and its names, the longest last.
fn one<T>(kind: &str, name: &str, rows: Vec<T>, names: impl Fn(&T) -> (Uuid, Vec<String>)) -> Result<T> {
    let fits = |row: &T| {
        let (id, names) = names(row);
        id.to_string() == name.to_lowercase() || names.iter().any(|known| same(known, name))
    };
    let mut found: Vec<T> = rows.into_iter().filter(fits).collect();
    match found.len() {
        0 => Err(Failure::NotFound(format!("there is no {kind} {name}"))),
        1 => found.pop().ok_or_else(|| Failure::NotFound(format!("there is no {kind} {name}"))),
        _ => {
            let all: Vec<String> = found.iter().filter_map(|row| names(row).1.pop()).collect();
            Err(Failure::Usage(format!("several {kind}s are called {name}: {}", all.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::one;
    use crate::failure::Failure;

    #[test]
    fn a_name_means_one_thing_or_the_error_lists_what_it_may_mean() {
        let rows = || vec![(1u128, "prod", "backup"), (2, "staging", "backup"), (3, "prod", "Report")];
        let names =
            |row: &(u128, &str, &str)| (Uuid::from_u128(row.0), vec![row.2.to_owned(), format!("{}/{}", row.1, row.2)]);
        assert_eq!(one("job", "report", rows(), names).unwrap().0, 3);
        assert_eq!(one("job", "staging/backup", rows(), names).unwrap().0, 2);
        assert_eq!(one("job", &Uuid::from_u128(1).to_string(), rows(), names).unwrap().0, 1);
        match one("job", "backup", rows(), names) {
            Err(Failure::Usage(text)) => {
                assert_eq!(text, "several jobs are called backup: prod/backup, staging/backup")
            }
            _ => panic!("the name is ambiguous"),
        }
        assert!(matches!(one("job", "back", rows(), names), Err(Failure::NotFound(_))));
    }
}
