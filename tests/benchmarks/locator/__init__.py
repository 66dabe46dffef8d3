"""Where, on real history: does the Locator point at the lines that a project's reviewers commented on?"""
