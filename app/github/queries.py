"""The GraphQL operations the App sends: fixed texts with variables, never text put together at run time.

Threads and their resolved state exist in GraphQL only; REST has no route for them.
"""

_COMMENT = """\
fragment Comment on PullRequestReviewComment {
  databaseId
  id
  body
  createdAt
  lastEditedAt
  author { login __typename }
  editor { login __typename }
  authorAssociation
  diffHunk
  originalCommit { oid }
  commit { oid }
  replyTo { databaseId }
  isMinimized
  reactionGroups { content reactors { totalCount } }
}
"""

HARVEST_PULL_REQUEST = (
    _COMMENT
    + """\
query HarvestPullRequest($owner: String!, $name: String!, $number: Int!, $cursor: String) {
  repository(owner: $owner, name: $name) {
    databaseId
    nameWithOwner
    policy: object(expression: "HEAD:.github/understudy.yml") { ... on Blob { text byteSize } }
    pullRequest(number: $number) {
      number
      title
      body
      lastEditedAt
      createdAt
      closedAt
      mergedAt
      merged
      baseRefOid
      headRefOid
      mergeCommit { oid }
      author { login __typename }
      labels(first: 100) { nodes { name } }
      reviews(first: 50, states: [APPROVED]) {
        nodes { author { login __typename } authorAssociation state submittedAt commit { oid } }
      }
      reviewThreads(first: 50, after: $cursor) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id
          isResolved
          resolvedBy { login }
          isOutdated
          path
          line
          originalLine
          startLine
          originalStartLine
          diffSide
          subjectType
          comments(first: 50) {
            pageInfo { hasNextPage endCursor }
            nodes {
              ...Comment
            }
          }
        }
      }
    }
  }
}
"""
)

#: The rest of a thread that has more comments than the first page of HARVEST_PULL_REQUEST holds.
THREAD_COMMENTS = (
    _COMMENT
    + """\
query ThreadComments($thread: ID!, $cursor: String) {
  node(id: $thread) {
    ... on PullRequestReviewThread {
      comments(first: 100, after: $cursor) {
        pageInfo { hasNextPage endCursor }
        nodes {
          ...Comment
        }
      }
    }
  }
}
"""
)

#: The merged pull requests of a repository, newest first; the cursor stays true while new ones are merged.
MERGED_PULL_REQUESTS = """\
query MergedPullRequests($owner: String!, $name: String!, $size: Int!, $cursor: String) {
  repository(owner: $owner, name: $name) {
    databaseId
    pullRequests(states: [MERGED], first: $size, after: $cursor, orderBy: {field: CREATED_AT, direction: DESC}) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { number headRefOid }
    }
  }
}
"""

#: The policy file alone. HEAD is the default branch, whatever its name.
REPOSITORY_POLICY = """\
query RepositoryPolicy($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    policy: object(expression: "HEAD:.github/understudy.yml") { ... on Blob { text byteSize } }
  }
}
"""

#: The policy file at a commit beside the one in force. `head` is `<sha>:.github/understudy.yml`.
POLICY_AT_HEAD = """\
query PolicyAtHead($owner: String!, $name: String!, $head: String!) {
  repository(owner: $owner, name: $name) {
    policy: object(expression: "HEAD:.github/understudy.yml") { oid ... on Blob { text byteSize } }
    proposed: object(expression: $head) { oid ... on Blob { text byteSize } }
  }
}
"""

#: What a repository says to machines, on its default branch.
AGENTS_FILES = """\
query AgentsFiles($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    agents: object(expression: "HEAD:AGENTS.md") { ... on Blob { text byteSize } }
    claude: object(expression: "HEAD:CLAUDE.md") { ... on Blob { text byteSize } }
    copilot: object(expression: "HEAD:.github/copilot-instructions.md") { ... on Blob { text byteSize } }
  }
}
"""

#: One file at a commit, or on the default branch. `at` is `<sha>:<path>` or `HEAD:<path>`.
FILE_TEXT = """\
query FileText($owner: String!, $name: String!, $at: String!) {
  repository(owner: $owner, name: $name) {
    file: object(expression: $at) { ... on Blob { text byteSize isBinary } }
  }
}
"""

#: A comment by its node id, with what must be known before it is obeyed.
SAID_COMMENT = """\
fragment Place on PullRequest {
  number
  state
  isDraft
  headRefOid
  repository { nameWithOwner databaseId }
}
query SaidComment($id: ID!) {
  node(id: $id) {
    __typename
    ... on PullRequestReviewComment {
      databaseId
      body
      author { login __typename }
      editor { login __typename }
      authorAssociation
      createdAt
      lastEditedAt
      isMinimized
      diffHunk
      replyTo { databaseId }
      pullRequest { ...Place }
    }
    ... on IssueComment {
      databaseId
      body
      author { login __typename }
      editor { login __typename }
      authorAssociation
      createdAt
      lastEditedAt
      isMinimized
      onWhole: pullRequest { ...Place }
    }
  }
}
"""
