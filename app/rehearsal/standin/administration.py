"""What owners do: repositories, roles, labels, and the App's installation."""

from pathlib import Path

from app.domain.errors import UserError
from app.rehearsal.standin.git import BareRepository
from app.rehearsal.standin.render.repositories import label_json
from app.rehearsal.standin.site import Site
from app.rehearsal.standin.state import Label, Permission, Repository, User


class Administration(Site):
    """Acts on the organisation rather than on one pull request."""

    def add_repository(
        self,
        full_name: str,
        *,
        bare: Path | None = None,
        default_branch: str = "main",
        private: bool = False,
        installed: bool = True,
    ) -> int:
        """Create an empty repository, or one with all refs of `bare` (which is read, never written); returns its id.

        An adopted repository keeps its own default branch when it has none called `default_branch`.
        """
        owner, _, name = full_name.partition("/")
        if not owner.strip(".") or not name.strip(".") or "/" in name:  # both become folders
            raise UserError(f"expected a repository as owner/name, got {full_name!r}")
        with self.lock:
            if full_name in self.repositories:
                raise UserError(f"there is a repository {full_name} already")
            path = self.root / owner / f"{name}.git"
            git = BareRepository.adopt(path, bare) if bare else BareRepository.create(path, default_branch)
            branch = git.default_branch(default_branch) if bare else default_branch
            account = self.add_user(owner, kind="Organization")
            self.repositories[full_name] = Repository(
                self.new_id(), full_name, account, git, branch, self.clock(), private=private, installed=installed
            )
            return self.repositories[full_name].id

    def bare_path(self, full_name: str) -> Path:
        """The bare repository on disk: push to it to give the stand-in commits, and `announce` those to the default
        branch."""
        return self.repository(full_name).git.path

    def announce(self, full_name: str, *, before: str, by: str) -> None:
        """Somebody pushed to the default branch, which stood at `before`."""
        with self.lock:
            repository = self.repository(full_name)
            after = self.known_commit(repository, f"refs/heads/{repository.default_branch}")
            self.emit_push(repository, before, after, self.add_user(by))

    def add_collaborator(self, full_name: str, login: str, permission: Permission | None) -> None:
        """Give a person a role, change it, or take it away with None."""
        with self.lock:
            self.add_user(login)
            collaborators = self.repository(full_name).collaborators
            if permission is None:
                collaborators.pop(login, None)
            else:
                collaborators[login] = permission

    def ensure_label(self, repository: Repository, name: str, by: User) -> Label:
        """The repository's label of that name; the first use creates it."""
        if name not in repository.labels:
            label = repository.labels[name] = Label(self.new_id(), name)
            payload = {"action": "created", "label": label_json(self.base_url, repository, label)}
            self.emit("label", payload, repository, by)
        return repository.labels[name]

    def rename_label(self, full_name: str, name: str, new_name: str, *, by: str) -> None:
        """Every pull request that carries the label carries the new name from now on, as on GitHub."""
        with self.lock:
            repository = self.repository(full_name)
            if name not in repository.labels or new_name in repository.labels:
                raise UserError(f"{full_name}: expected a label {name!r} and none {new_name!r}")
            label = repository.labels[new_name] = repository.labels.pop(name)
            label.name = new_name
            shown = label_json(self.base_url, repository, label)
            payload = {"action": "edited", "label": shown, "changes": {"name": {"from": name}}}
            self.emit("label", payload, repository, self.add_user(by))

    def set_installed(self, full_name: str, installed: bool, *, by: str) -> None:
        """Give the App a repository or take it away; its tokens see that at once."""
        with self.lock:
            repository = self.repository(full_name)
            if repository.installed != installed:
                repository.installed = installed
                self.emit_installation_repositories(repository, self.add_user(by))

    def suspend(self, *, by: str) -> None:
        """From now on the installation's requests are answered 403, and no webhook is sent."""
        with self.lock:
            self.suspended_at, self.suspended_by = self.clock(), self.add_user(by)
            self.emit_installation("suspend", self.suspended_by)

    def unsuspend(self, *, by: str) -> None:
        with self.lock:
            self.suspended_at = self.suspended_by = None
            self.emit_installation("unsuspend", self.add_user(by))

    def uninstall(self, *, by: str) -> None:
        """The App is removed: its tokens stop working and its installation is no more."""
        with self.lock:
            self.emit_installation("deleted", self.add_user(by))
            self.uninstalled = True
            self.grants.revoke_all()
