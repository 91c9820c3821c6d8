//! Changes of a proxy's cluster, in the target's own way.

use std::net::SocketAddr;

use super::{ADMIN_WITHIN, Error, Proxy};
use crate::http::{self, Answer};
use crate::targets::file::Rescale;
use crate::targets::setting::Setting;

impl Proxy {
    /// Reloads its configuration, in the target's own way of changing its cluster.
    ///
    /// # Errors
    /// Its answer, or the error.
    pub async fn reload(&self) -> Result<(), Error> {
        match &self.target.rescale {
            Rescale::Restart => self.restart().await,
            Rescale::Put { .. } => self.put_cluster(&self.setting).await,
        }
    }

    /// Changes the cluster to `nodes` in the target's own way; the client address stays.
    ///
    /// # Errors
    /// If the proxy refuses the change.
    pub async fn rescale(&mut self, nodes: Vec<SocketAddr>) -> Result<(), Error> {
        self.set_nodes(nodes);
        self.reload().await
    }

    /// The nodes of its next start or reload.
    pub fn set_nodes(&mut self, nodes: Vec<SocketAddr>) {
        self.setting.nodes = nodes;
    }

    /// Gives it two clusters at the same time. Its setting stays, because either may be in force afterwards.
    ///
    /// # Errors
    /// If the proxy refuses one of them, or takes no cluster while it serves.
    pub async fn rescale_at_once(
        &self,
        one: Vec<SocketAddr>,
        other: Vec<SocketAddr>,
    ) -> Result<(), Error> {
        let of = |nodes| Setting {
            nodes,
            ..self.setting.clone()
        };
        let (one, other) = (of(one), of(other));
        let (one, other) = tokio::join!(self.put_cluster(&one), self.put_cluster(&other));
        one.and(other)
    }

    /// Gives it each malformed cluster of the target's file. Returns each with its answer.
    ///
    /// # Errors
    /// If it does not answer, or takes no cluster while it serves.
    pub async fn put_malformed(&self) -> Result<Vec<(String, Answer)>, Error> {
        let Rescale::Put {
            path, malformed, ..
        } = &self.target.rescale
        else {
            return Err(self.not_live());
        };
        let mut answers = Vec::new();
        for body in malformed {
            let body = self.rendered("rescale.malformed", body, &self.setting)?;
            answers.push((body.clone(), self.put(path, body, &self.setting).await?));
        }
        Ok(answers)
    }

    async fn put_cluster(&self, setting: &Setting) -> Result<(), Error> {
        let Rescale::Put { path, body, .. } = &self.target.rescale else {
            return Err(self.not_live());
        };
        let body = self.rendered("rescale.body", body, setting)?;
        match self.put(path, body, setting).await? {
            answer if answer.is_success() => Ok(()),
            answer => Err(Error::NotRescaled {
                target: self.target.name.clone(),
                why: format!("{} {}", answer.status, answer.body),
            }),
        }
    }

    async fn put(&self, path: &str, body: String, setting: &Setting) -> Result<Answer, Error> {
        let path = self.rendered("rescale.path", path, setting)?;
        let answer = http::put(self.admin.addr(), &path, body, ADMIN_WITHIN).await;
        answer.map_err(|why| Error::NoAnswer {
            target: self.target.name.clone(),
            why: Box::new(why),
        })
    }

    fn rendered(
        &self,
        field: &'static str,
        template: &str,
        setting: &Setting,
    ) -> Result<String, Error> {
        let text = self.render(setting).text(field, template);
        text.map_err(|why| Error::template(&self.target, why))
    }

    fn not_live(&self) -> Error {
        Error::NotLive {
            target: self.target.name.clone(),
        }
    }
}
