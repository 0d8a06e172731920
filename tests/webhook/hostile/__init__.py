"""What an attacker, or a careless client, may send; each answer over a real socket with real TLS.

The catalogue, and where each input is sent (the files of this folder without a path before them):

1   methods, paths, no body         ../test_server.py only_post_asks, other_paths, empty_body
2   content types, unread           ../test_server.py other_content_types, refused_before
3   lengths and chunks              ../test_server.py refused_before, chunks_are_counted
4   large bodies at once            test_bodies.py large_bodies
5   very many objects and lists     ../test_server.py the_caller_makes_undecidable
6   depth                           test_bodies.py levels
7   JSON that is not strict         test_bodies.py not_strict, keys_twice, large_numbers
8   no reviews, no uid              ../test_server.py no_review; test_bodies.py uid, request
9   no objects                      test_objects.py without_an_object
10  CONNECT, scale, eviction        test_objects.py subresources
11  wrong types, many containers    test_objects.py wrong_types, many_containers
12  names and namespaces            test_objects.py names
13  signs                           test_objects.py signs
14  unknown kinds and versions      test_objects.py unknown
15  updates                         test_objects.py updates
16  forged owners                   test_objects.py forged_owner
17  self-exemption                  test_objects.py exempt
18  mutation                        ../test_mutate.py
19  dry runs                        test_objects.py dry_run; ../test_server.py dry_run
20  direct callers                  ../test_clients.py
21  slow clients                    test_connections.py slow_clients, drop_by_drop
22  many connections                test_connections.py too_many
23  gone clients, deadlines         test_connections.py goes_away; ../test_evaluators.py too_long
24  odd HTTP and TLS                test_connections.py; ../test_server.py tls_1_3
25  a pair that does not fit        ../test_server.py does_not_fit; ../test_certificates.py
26  Secrets that turn a link        ../test_server.py turns_its_link
27  a new CA                        ../test_certificates.py
28  SIGTERM                         ../test_evaluators.py leaves; ../test_server.py signal
29  before the cluster is known     ../test_server.py before_the_cluster_is_read
30  dead watches                    ../../sources/test_watch.py
31  replicas that differ            ../test_plan.py
32  blocked logs, no policies       ../test_logs.py; ../test_evaluators.py no_policies
33  all of it for long              test_soak.py
"""
