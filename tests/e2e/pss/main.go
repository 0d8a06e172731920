// Asks Kubernetes' own library about the Pod Security Standards.
//
// Standard input holds one JSON object a line, {"level", "version", "pod"}; standard output gets one
// for each, {"violated": [...]}, with the library's names of the checks that forbid the pod. A pod
// with fields that this version of Kubernetes does not have is an error of the caller's.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

type question struct {
	Level   string     `json:"level"`
	Version string     `json:"version"`
	Pod     corev1.Pod `json:"pod"`
}

type answer struct {
	Violated []policy.CheckID `json:"violated"`
}

// The library names no check in its results, so each one is asked alone. The whole is asked as well:
// both have to forbid equally often.
type judges struct {
	whole  policy.Evaluator
	checks []policy.Check
	alone  map[policy.CheckID]policy.Evaluator
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	judges, err := assembled()
	if err != nil {
		return err
	}
	lines, answers := bufio.NewReader(in), bufio.NewWriter(out)
	encoder := json.NewEncoder(answers)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return answers.Flush()
		}
		if err != nil && err != io.EOF {
			return err
		}
		said, err := judges.judge(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := encoder.Encode(said); err != nil {
			return err
		}
	}
}

func assembled() (judges, error) {
	checks := policy.DefaultChecks()
	whole, err := policy.NewEvaluator(checks, nil)
	if err != nil {
		return judges{}, err
	}
	alone := map[policy.CheckID]policy.Evaluator{}
	for _, check := range checks {
		if alone[check.ID], err = policy.NewEvaluator([]policy.Check{check}, nil); err != nil {
			return judges{}, err
		}
	}
	return judges{whole, checks, alone}, nil
}

func (j judges) judge(line []byte) (answer, error) {
	var asked question
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return answer{}, err
	}
	level, err := api.ParseLevel(asked.Level)
	if err != nil {
		return answer{}, err
	}
	version, err := api.ParseVersion(asked.Version)
	if err != nil {
		return answer{}, err
	}
	at := api.LevelVersion{Level: level, Version: version}
	violated := []policy.CheckID{}
	overridden := j.overridden(at)
	for _, check := range j.checks {
		if !overridden[check.ID] && forbidden(j.alone[check.ID], at, &asked.Pod) > 0 {
			violated = append(violated, check.ID)
		}
	}
	if whole := forbidden(j.whole, at, &asked.Pod); whole != len(violated) {
		return answer{}, fmt.Errorf("the library forbids %d times, its checks alone %v", whole, violated)
	}
	return answer{violated}, nil
}

// The checks of level Baseline that a check of level Restricted takes the place of.
func (j judges) overridden(at api.LevelVersion) map[policy.CheckID]bool {
	found := map[policy.CheckID]bool{}
	if at.Level != api.LevelRestricted {
		return found
	}
	for _, check := range j.checks {
		var current policy.VersionedCheck
		for _, versioned := range check.Versions {
			if !at.Version.Older(versioned.MinimumVersion) {
				current = versioned
			}
		}
		for _, id := range current.OverrideCheckIDs {
			found[id] = true
		}
	}
	return found
}

func forbidden(evaluator policy.Evaluator, at api.LevelVersion, pod *corev1.Pod) int {
	count := 0
	for _, result := range evaluator.EvaluatePod(at, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			count++
		}
	}
	return count
}
