// Rules tries the recording and alerting rules of Prometheus on series that a test file gives, and names the metrics of
// expressions.  It reads the test files of `promtool test rules`, as far as ours go, with Prometheus's own packages:
// promtool itself takes minutes to build, since it brings in the clients of every cloud.
//
//	rules test FILE...     try the rules; exit code 1 where an expectation fails
//	rules names            read expressions as a JSON list of strings; answer with the names of their metrics and labels
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v2"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "test" {
		os.Exit(testAll(os.Args[2:]))
	}
	if len(os.Args) == 2 && os.Args[1] == "names" {
		os.Exit(names())
	}
	fmt.Fprintln(os.Stderr, "usage: rules test FILE... | rules names")
	os.Exit(2)
}

func testAll(files []string) int {
	failed := 0
	for _, file := range files {
		problems := testFile(file)
		failed += len(problems)
		for _, problem := range problems {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, problem)
		}
	}
	if failed > 0 {
		return 1
	}
	fmt.Println("ok")
	return 0
}

func testFile(file string) []error {
	content, err := os.ReadFile(file)
	if err != nil {
		return []error{err}
	}
	var unit unitFile
	if err := yaml.UnmarshalStrict(content, &unit); err != nil {
		return []error{err}
	}
	for number, rules := range unit.RuleFiles {
		unit.RuleFiles[number] = filepath.Join(filepath.Dir(file), rules)
	}
	var problems []error
	for number, group := range unit.Tests {
		for _, err := range group.run(unit) {
			problems = append(problems, fmt.Errorf("test %d (%s): %w", number+1, group.Name, err))
		}
	}
	return problems
}

type selector struct {
	Name   string   `json:"name"`
	Labels []string `json:"labels"`
}

type named struct {
	Selectors []selector `json:"selectors"`
	Grouped   []string   `json:"grouped"`
	Error     string     `json:"error,omitempty"`
}

// names answers, for each expression, with the metrics it selects, and the labels it selects or groups by.
func names() int {
	var expressions []string
	if err := json.NewDecoder(os.Stdin).Decode(&expressions); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	found := make([]named, len(expressions))
	p := parser.NewParser(parser.Options{})
	for place, expression := range expressions {
		tree, err := p.ParseExpr(expression)
		if err != nil {
			found[place].Error = err.Error()
			continue
		}
		parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
			switch one := node.(type) {
			case *parser.VectorSelector:
				found[place].Selectors = append(found[place].Selectors, selected(one))
			case *parser.AggregateExpr:
				found[place].Grouped = append(found[place].Grouped, one.Grouping...)
			}
			return nil
		})
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		return 2
	}
	return 0
}

func selected(one *parser.VectorSelector) selector {
	found := selector{Name: one.Name, Labels: []string{}}
	for _, matcher := range one.LabelMatchers {
		if matcher.Name != labels.MetricName {
			found.Labels = append(found.Labels, matcher.Name)
		}
	}
	return found
}
