// Package crash is the crash matrix: the real binary, in processes of its own,
// rotates a key that is kept in two stores of one kind, or the admin key itself, or takes
// over a key made by hand, or writes its trail, or replaces a secret that webhooks send, or gives the key
// to sinks, and meets a fault at every call that it makes outside, once
// before the call's effect and once after it. It is killed with SIGKILL, gets an error or no answer, or is suspended with SIGSTOP
// while another instance goes on, and resumed late. After each fault the binary is
// run until nothing is left to do. The rules of CONTRIBUTING.md are judged from the
// outside all the while, by what the stores give to consumers and what is alive at
// Instantly.
//
// Calls to Instantly, AWS, GCP and Kubernetes go to the stand-ins of this
// repository, over TCP. For the local store they are the system calls that touch
// its folders, intercepted with ptrace(2).
//
//	go run ./rotator/rotatortest/tables crash   prints the table
package crash
